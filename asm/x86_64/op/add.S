# add d, a, b: the wrapped sum.
#
# `lea` adds into a third register and leaves the flags alone. Its base excludes what costs more: rbp and r13 have no
# form without a displacement, r12 has none without an index byte. For i32 it adds all 64 bits and keeps the low 32.
#
# Only the 64-bit type works on a slot in place: a 32-bit write to memory would leave the upper half of the slot as it
# was, and an i32 has zeros there.

template add.i32, out d:gp, in a:gp-rbp-r13, in b:gp
        lea     \d32, [\a + \b]
end

template add.i32, out d:gp, in a:gp-r12, in b:imm32
        lea     \d32, [\a + \b]
end

template add.i32, out d:gp, in a:gp-r12, in b:imm8
        lea     \d32, [\a + \b]
end

template add.i32, inout d:gp, in b:gp, clobber flags
        add     \d32, \b32
end

template add.i32, inout d:gp-rax, in b:imm32, clobber flags
        add     \d32, \b
end

template add.i32, inout d:gp, in b:imm8, clobber flags
        add     \d32, \b
end

template add.i32, inout d:gp, in b:slot32, clobber flags
        add     \d32, dword ptr [FRAME + \b]
end

template add.i32, inout d:gp, in b:slot8, clobber flags
        add     \d32, dword ptr [FRAME + \b]
end

template add.i64, out d:gp, in a:gp-rbp-r13, in b:gp
        lea     \d, [\a + \b]
end

template add.i64, out d:gp, in a:gp-r12, in b:imm32
        lea     \d, [\a + \b]
end

template add.i64, out d:gp, in a:gp-r12, in b:imm8
        lea     \d, [\a + \b]
end

template add.i64, inout d:gp, in b:gp, clobber flags
        add     \d, \b
end

template add.i64, inout d:gp-rax, in b:imm32, clobber flags
        add     \d, \b
end

template add.i64, inout d:gp, in b:imm8, clobber flags
        add     \d, \b
end

template add.i64, inout d:gp, in b:slot32, clobber flags
        add     \d, qword ptr [FRAME + \b]
end

template add.i64, inout d:gp, in b:slot8, clobber flags
        add     \d, qword ptr [FRAME + \b]
end

template add.i64, inout d:slot32, in b:gp, clobber flags
        add     qword ptr [FRAME + \d], \b
end

template add.i64, inout d:slot8, in b:gp, clobber flags
        add     qword ptr [FRAME + \d], \b
end

template add.i64, inout d:slot32, in b:imm32, clobber flags
        add     qword ptr [FRAME + \d], \b
end

# Floats. The machine's rule for NaN is the language's: the first NaN operand, made quiet. So a and b must not be
# exchanged.
template add.f32, inout d:xmm, in b:xmm
        addss   \d, \b
end

template add.f32, inout d:xmm, in b:slot32
        addss   \d, dword ptr [FRAME + \b]
end

template add.f32, inout d:xmm, in b:slot8
        addss   \d, dword ptr [FRAME + \b]
end

template add.f32, inout d:xmm, in b:lit
        addss   \d, dword ptr [rip + \b]
end

template add.f32, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vaddss \d, \a, \b
end

template add.f32, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vaddss \d, \a, dword ptr [FRAME + \b]
end

template add.f32, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vaddss \d, \a, dword ptr [FRAME + \b]
end

template add.f32, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vaddss \d, \a, dword ptr [rip + \b]
end

template add.f64, inout d:xmm, in b:xmm
        addsd   \d, \b
end

template add.f64, inout d:xmm, in b:slot32
        addsd   \d, qword ptr [FRAME + \b]
end

template add.f64, inout d:xmm, in b:slot8
        addsd   \d, qword ptr [FRAME + \b]
end

template add.f64, inout d:xmm, in b:lit
        addsd   \d, qword ptr [rip + \b]
end

template add.f64, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vaddsd \d, \a, \b
end

template add.f64, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vaddsd \d, \a, qword ptr [FRAME + \b]
end

template add.f64, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vaddsd \d, \a, qword ptr [FRAME + \b]
end

template add.f64, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vaddsd \d, \a, qword ptr [rip + \b]
end
