# mul d, a, b: the wrapped product; its low half is the same for signed and unsigned operands.
#
# By a constant `imul` has a form with three operands of its own.

template mul.i32, inout d:gp, in b:gp, clobber flags
        imul    \d32, \b32
end

template mul.i32, out d:gp, in a:gp, in b:imm32, clobber flags
        imul    \d32, \a32, \b
end

template mul.i32, out d:gp, in a:gp, in b:imm8, clobber flags
        imul    \d32, \a32, \b
end

template mul.i32, inout d:gp, in b:slot32, clobber flags
        imul    \d32, dword ptr [FRAME + \b]
end

template mul.i32, inout d:gp, in b:slot8, clobber flags
        imul    \d32, dword ptr [FRAME + \b]
end

template mul.i64, inout d:gp, in b:gp, clobber flags
        imul    \d, \b
end

template mul.i64, out d:gp, in a:gp, in b:imm32, clobber flags
        imul    \d, \a, \b
end

template mul.i64, out d:gp, in a:gp, in b:imm8, clobber flags
        imul    \d, \a, \b
end

template mul.i64, inout d:gp, in b:slot32, clobber flags
        imul    \d, qword ptr [FRAME + \b]
end

template mul.i64, inout d:gp, in b:slot8, clobber flags
        imul    \d, qword ptr [FRAME + \b]
end
