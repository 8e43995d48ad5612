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

# Floats. The machine's rule for NaN is the language's: the first NaN operand, made quiet. So a and b must not be
# exchanged.
template mul.f32, inout d:xmm, in b:xmm
        mulss   \d, \b
end

template mul.f32, inout d:xmm, in b:slot32
        mulss   \d, dword ptr [FRAME + \b]
end

template mul.f32, inout d:xmm, in b:slot8
        mulss   \d, dword ptr [FRAME + \b]
end

template mul.f32, inout d:xmm, in b:lit
        mulss   \d, dword ptr [rip + \b]
end

template mul.f32, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vmulss \d, \a, \b
end

template mul.f32, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vmulss \d, \a, dword ptr [FRAME + \b]
end

template mul.f32, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vmulss \d, \a, dword ptr [FRAME + \b]
end

template mul.f32, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vmulss \d, \a, dword ptr [rip + \b]
end

template mul.f64, inout d:xmm, in b:xmm
        mulsd   \d, \b
end

template mul.f64, inout d:xmm, in b:slot32
        mulsd   \d, qword ptr [FRAME + \b]
end

template mul.f64, inout d:xmm, in b:slot8
        mulsd   \d, qword ptr [FRAME + \b]
end

template mul.f64, inout d:xmm, in b:lit
        mulsd   \d, qword ptr [rip + \b]
end

template mul.f64, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vmulsd \d, \a, \b
end

template mul.f64, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vmulsd \d, \a, qword ptr [FRAME + \b]
end

template mul.f64, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vmulsd \d, \a, qword ptr [FRAME + \b]
end

template mul.f64, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vmulsd \d, \a, qword ptr [rip + \b]
end
