# not and the and that takes its result: c with the bits of a cleared, which some machines have an instruction for.

template not.i32+and.i32, out d:gp, in a:gp, in c:gp, clobber flags, needs bmi1
        andn    \d32, \a32, \c32
end

template not.i64+and.i64, out d:gp, in a:gp, in c:gp, clobber flags, needs bmi1
        andn    \d, \a, \c
end
