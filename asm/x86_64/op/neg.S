# neg d, a: the wrapped negation; of a float the sign inverted, also of NaN.
#
# The float's sign bit is flipped by a mask made on the spot: all ones, shifted so that only the sign bit stays.

template neg.i32, inout d:gp, clobber flags
        neg     \d32
end

template neg.i32, out d:gp, in a:gp, clobber flags
        mov     \d32, \a32
        neg     \d32
end

template neg.i64, inout d:gp, clobber flags
        neg     \d
end

template neg.i64, out d:gp, in a:gp, clobber flags
        mov     \d, \a
        neg     \d
end

# Floats.
template neg.f32, out d:xmm, in a:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        pslld   FSCRATCH2, 31
        xorps   FSCRATCH2, \a
        movaps  \d, FSCRATCH2
end

template neg.f64, out d:xmm, in a:xmm-xmm13, clobber FSCRATCH2
        pcmpeqd FSCRATCH2, FSCRATCH2
        psllq   FSCRATCH2, 63
        xorps   FSCRATCH2, \a
        movaps  \d, FSCRATCH2
end
