# copysign d, a, b: the magnitude of a with the sign of b, also of NaN.
#
# The sign of b is taken out by a mask; then d, which may be b's register, can be written: shifting left and right
# again clears the sign of a without a second mask.

template copysign.f32, out d:xmm-xmm13, in a:xmm-xmm13, in b:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        pslld   FSCRATCH2, 31
        andps   FSCRATCH2, \b
        movaps  \d, \a
        pslld   \d, 1
        psrld   \d, 1
        orps    \d, FSCRATCH2
end

template copysign.f64, out d:xmm-xmm13, in a:xmm-xmm13, in b:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        psllq   FSCRATCH2, 63
        andps   FSCRATCH2, \b
        movaps  \d, \a
        psllq   \d, 1
        psrlq   \d, 1
        orps    \d, FSCRATCH2
end
