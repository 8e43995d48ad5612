# sub d, a, b: the wrapped difference.
#
# Only the 64-bit type works on a slot in place: a 32-bit write to memory would leave the upper half of the slot as it
# was, and an i32 has zeros there.

template sub.i32, inout d:gp, in b:gp, clobber flags
        sub     \d32, \b32
end

template sub.i32, inout d:gp-rax, in b:imm32, clobber flags
        sub     \d32, \b
end

template sub.i32, inout d:gp, in b:imm8, clobber flags
        sub     \d32, \b
end

template sub.i32, inout d:gp, in b:slot32, clobber flags
        sub     \d32, dword ptr [FRAME + \b]
end

template sub.i32, inout d:gp, in b:slot8, clobber flags
        sub     \d32, dword ptr [FRAME + \b]
end

template sub.i64, inout d:gp, in b:gp, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp-rax, in b:imm32, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp, in b:imm8, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp, in b:slot32, clobber flags
        sub     \d, qword ptr [FRAME + \b]
end

template sub.i64, inout d:gp, in b:slot8, clobber flags
        sub     \d, qword ptr [FRAME + \b]
end

template sub.i64, inout d:slot32, in b:gp, clobber flags
        sub     qword ptr [FRAME + \d], \b
end

template sub.i64, inout d:slot8, in b:gp, clobber flags
        sub     qword ptr [FRAME + \d], \b
end

template sub.i64, inout d:slot32, in b:imm32, clobber flags
        sub     qword ptr [FRAME + \d], \b
end

# Floats. The machine's rule for NaN is the language's: the first NaN operand, made quiet. So a and b must not be
# exchanged.
template sub.f32, inout d:xmm, in b:xmm
        subss   \d, \b
end

template sub.f32, inout d:xmm, in b:slot32
        subss   \d, dword ptr [FRAME + \b]
end

template sub.f32, inout d:xmm, in b:slot8
        subss   \d, dword ptr [FRAME + \b]
end

template sub.f32, inout d:xmm, in b:lit
        subss   \d, dword ptr [rip + \b]
end

template sub.f32, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vsubss \d, \a, \b
end

template sub.f32, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vsubss \d, \a, dword ptr [FRAME + \b]
end

template sub.f32, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vsubss \d, \a, dword ptr [FRAME + \b]
end

template sub.f32, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vsubss \d, \a, dword ptr [rip + \b]
end

template sub.f64, inout d:xmm, in b:xmm
        subsd   \d, \b
end

template sub.f64, inout d:xmm, in b:slot32
        subsd   \d, qword ptr [FRAME + \b]
end

template sub.f64, inout d:xmm, in b:slot8
        subsd   \d, qword ptr [FRAME + \b]
end

template sub.f64, inout d:xmm, in b:lit
        subsd   \d, qword ptr [rip + \b]
end

template sub.f64, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vsubsd \d, \a, \b
end

template sub.f64, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vsubsd \d, \a, qword ptr [FRAME + \b]
end

template sub.f64, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vsubsd \d, \a, qword ptr [FRAME + \b]
end

template sub.f64, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vsubsd \d, \a, qword ptr [rip + \b]
end
