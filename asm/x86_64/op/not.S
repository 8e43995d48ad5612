# not d, a: every bit inverted.

template not.i32, inout d:gp
        not     \d32
end

template not.i32, out d:gp, in a:gp
        mov     \d32, \a32
        not     \d32
end

template not.i64, inout d:gp
        not     \d
end

template not.i64, out d:gp, in a:gp
        mov     \d, \a
        not     \d
end
