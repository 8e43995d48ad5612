# less d, a, b: 1 if a is less than b, signed, else 0.
#
# d is written after the comparison, never cleared before it: it may share its register with a or b. A constant on the
# left is compared from the right, with the condition turned around.
#
# Floats: `ucomisd b, a` sets the carry flag where b is below a, and where one of them is NaN; so a < b is asked as "b
# above a", which is false for NaN. This makes a, not b, the operand that can come from memory.

template less.i32, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a32, \b32
        setl    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a32, \b
        setl    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a32, \b
        setl    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        setl    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        setl    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:imm32, in b:gp-rax, clobber flags
        cmp     \b32, \a
        setg    \d8
        movzx   \d32, \d8
end

template less.i32, out d:gp, in a:imm8, in b:gp, clobber flags
        cmp     \b32, \a
        setg    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a, \b
        setl    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a, \b
        setl    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a, \b
        setl    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        setl    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        setl    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:imm32, in b:gp-rax, clobber flags
        cmp     \b, \a
        setg    \d8
        movzx   \d32, \d8
end

template less.i64, out d:gp, in a:imm8, in b:gp, clobber flags
        cmp     \b, \a
        setg    \d8
        movzx   \d32, \d8
end

# Floats.
template less.f32, out d:gp, in a:xmm, in b:xmm, clobber flags
        ucomiss \b, \a
        seta    \d8
        movzx   \d32, \d8
end

template less.f32, out d:gp, in a:slot32, in b:xmm, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        seta    \d8
        movzx   \d32, \d8
end

template less.f32, out d:gp, in a:slot8, in b:xmm, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        seta    \d8
        movzx   \d32, \d8
end

template less.f32, out d:gp, in a:lit, in b:xmm, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        seta    \d8
        movzx   \d32, \d8
end

template less.f64, out d:gp, in a:xmm, in b:xmm, clobber flags
        ucomisd \b, \a
        seta    \d8
        movzx   \d32, \d8
end

template less.f64, out d:gp, in a:slot32, in b:xmm, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        seta    \d8
        movzx   \d32, \d8
end

template less.f64, out d:gp, in a:slot8, in b:xmm, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        seta    \d8
        movzx   \d32, \d8
end

template less.f64, out d:gp, in a:lit, in b:xmm, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        seta    \d8
        movzx   \d32, \d8
end
