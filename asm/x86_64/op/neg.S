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
