# nearest d, a: rounded to the nearest integer, ties to even; the sign stays, also of zero, and NaN is made quiet.
#
# With SSE4.1 the machine does it (8: the direction, and 8: no inexact exception), on a copy of a so as not to wait
# for the old d. Without: numbers from 2^52 on (2^23 for f32) are integers already, and adding zero makes a NaN among
# them quiet. Adding and taking away 2^52 (2^23 for f32), with the sign of a, lets the adder do the rounding. The sign
# of a is put back, because a result of zero has lost it.

template nearest.f32, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundss \d, \d, 8
end

template nearest.f32, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
        movd    eax, \a
        add     eax, eax
        shr     eax, 24
        cmp     eax, 150
        jb      1f
        xorps   FSCRATCH2, FSCRATCH2
        addss   FSCRATCH2, \a
        jmp     2f
1:
        pcmpeqd FSCRATCH1, FSCRATCH1
        pslld   FSCRATCH1, 31
        andps   FSCRATCH1, \a
        mov     eax, 0x4b000000
        movd    FSCRATCH2, eax
        orps    FSCRATCH2, FSCRATCH1
        movaps  FSCRATCH1, FSCRATCH2
        addss   FSCRATCH2, \a
        subss   FSCRATCH2, FSCRATCH1
        pcmpeqd FSCRATCH1, FSCRATCH1
        pslld   FSCRATCH1, 31
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end

template nearest.f64, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundsd \d, \d, 8
end

template nearest.f64, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
        movq    rax, \a
        add     rax, rax
        shr     rax, 53
        cmp     eax, 1075
        jb      1f
        xorps   FSCRATCH2, FSCRATCH2
        addsd   FSCRATCH2, \a
        jmp     2f
1:
        pcmpeqd FSCRATCH1, FSCRATCH1
        psllq   FSCRATCH1, 63
        andps   FSCRATCH1, \a
        movabs  rax, 0x4330000000000000
        movq    FSCRATCH2, rax
        orps    FSCRATCH2, FSCRATCH1
        movaps  FSCRATCH1, FSCRATCH2
        addsd   FSCRATCH2, \a
        subsd   FSCRATCH2, FSCRATCH1
        pcmpeqd FSCRATCH1, FSCRATCH1
        psllq   FSCRATCH1, 63
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end
