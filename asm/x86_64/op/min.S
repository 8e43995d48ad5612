# min d, a, b: the smaller; NaN wins, -0 is below +0.
#
# `minsd` itself gives its second operand where one is NaN and where both are zero, so it is used only where a and b
# differ. Equal ones differ at most in the sign of zero, and `orps` settles that; the sum of a NaN and anything is the
# NaN wanted, made quiet. All of it happens in FSCRATCH2, which also makes the distances of the jumps the same for all
# registers.

template min.f32, out d:xmm, in a:xmm, in b:xmm-xmm13, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        ucomiss FSCRATCH2, \b
        jne     2f
        jp      1f
        orps    FSCRATCH2, \b
        jmp     3f
1:
        addss   FSCRATCH2, \b
        jmp     3f
2:
        minss   FSCRATCH2, \b
3:
        movaps  \d, FSCRATCH2
end

template min.f64, out d:xmm, in a:xmm, in b:xmm-xmm13, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        ucomisd FSCRATCH2, \b
        jne     2f
        jp      1f
        orps    FSCRATCH2, \b
        jmp     3f
1:
        addsd   FSCRATCH2, \b
        jmp     3f
2:
        minsd   FSCRATCH2, \b
3:
        movaps  \d, FSCRATCH2
end
