# floor d, a: rounded down to an integer; the sign stays, also of zero, and NaN is made quiet.
#
# With SSE4.1 the machine does it (9: the direction, and 8: no inexact exception), on a copy of a so as not to wait
# for the old d. Without: numbers from 2^52 on (2^23 for f32) are integers already, and adding zero makes a NaN among
# them quiet. The conversion to an integer truncates; where that came out above a, one is taken away: the comparison
# leaves its answer in the carry flag, which `sbb` subtracts. The sign of a is put back, because a result of zero has
# lost it.

template floor.f32, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundss \d, \d, 9
end

template floor.f32, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
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
        ucomiss \a, FSCRATCH2
        sbb     rax, 0
        cvtsi2ss FSCRATCH2, rax
        pcmpeqd FSCRATCH1, FSCRATCH1
        pslld   FSCRATCH1, 31
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end

template floor.f64, out d:xmm, in a:xmm, needs sse4.1
        movaps  \d, \a
        roundsd \d, \d, 9
end

template floor.f64, out d:xmm, in a:xmm-xmm13-xmm14, clobber rax FSCRATCH1 FSCRATCH2 flags
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
        ucomisd \a, FSCRATCH2
        sbb     rax, 0
        cvtsi2sd FSCRATCH2, rax
        pcmpeqd FSCRATCH1, FSCRATCH1
        psllq   FSCRATCH1, 63
        andps   FSCRATCH1, \a
        orps    FSCRATCH2, FSCRATCH1
2:
        movaps  \d, FSCRATCH2
end
