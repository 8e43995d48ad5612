# abs d, a: the sign cleared, also of NaN, which stays as it is otherwise.
#
# The mask is made on the spot: all ones, shifted so that the sign bit is missing.

template abs.f32, out d:xmm, in a:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        psrld   FSCRATCH2, 1
        andps   FSCRATCH2, \a
        movaps  \d, FSCRATCH2
end

template abs.f64, out d:xmm, in a:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        psrlq   FSCRATCH2, 1
        andps   FSCRATCH2, \a
        movaps  \d, FSCRATCH2
end
