# trunc d, a: rounded towards zero to an integer; the sign stays, also of zero, and NaN is made quiet.
#
# With SSE4.1 the machine does it (11: the direction, and 8: no inexact exception), on a copy of a so as not to wait
# for the old d. Without: numbers from 2^52 on (2^23 for f32) are integers already, and adding zero makes a NaN among
# them quiet. The conversion to an integer and back truncates. The sign of a is put back, because a result of zero has
# lost it.

template trunc.f32, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundss \d, \d, 11
end

template trunc.f32, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
        movd    eax, \a
        add     eax, eax
        shr     eax, 24
        cmp     eax, 150
        jb      1f
        xorps   FSCRATCH2, FSCRATCH2
        addss   FSCRATCH2, \a
        jmp     2f
1:
        cvttss2si rax, \a
        xorps   FSCRATCH2, FSCRATCH2
        cvtsi2ss FSCRATCH2, rax
        pcmpeqd FSCRATCH1, FSCRATCH1
        pslld   FSCRATCH1, 31
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end

template trunc.f64, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundsd \d, \d, 11
end

template trunc.f64, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
        movq    rax, \a
        add     rax, rax
        shr     rax, 53
        cmp     eax, 1075
        jb      1f
        xorps   FSCRATCH2, FSCRATCH2
        addsd   FSCRATCH2, \a
        jmp     2f
1:
        cvttsd2si rax, \a
        xorps   FSCRATCH2, FSCRATCH2
        cvtsi2sd FSCRATCH2, rax
        pcmpeqd FSCRATCH1, FSCRATCH1
        psllq   FSCRATCH1, 63
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end
