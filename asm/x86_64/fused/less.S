# less fused with the branch on its result, which then needs no register: +jmpt goes to the label where it holds,
# +jmpf where it does not. A constant on the left is compared from the right, with the condition turned around.
#
# Floats: asked as "b above a", which is false for NaN; this makes a the operand that can come from memory.

template less.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jl      \t
end

template less.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jl      \t
end

template less.i32+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jl      \t
end

template less.i32+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jl      \t
end

template less.i32+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jl      \t
end

template less.i32+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jg      \t
end

template less.i32+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jg      \t
end

template less.i32+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jg      \t
end

template less.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jge     \t
end

template less.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jge     \t
end

template less.i32+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jge     \t
end

template less.i32+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jge     \t
end

template less.i32+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jge     \t
end

template less.i32+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jle     \t
end

template less.i32+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jle     \t
end

template less.i32+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jle     \t
end

template less.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jl      \t
end

template less.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jl      \t
end

template less.i64+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jl      \t
end

template less.i64+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jl      \t
end

template less.i64+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jl      \t
end

template less.i64+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jg      \t
end

template less.i64+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jg      \t
end

template less.i64+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jg      \t
end

template less.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jge     \t
end

template less.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jge     \t
end

template less.i64+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jge     \t
end

template less.i64+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jge     \t
end

template less.i64+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jge     \t
end

template less.i64+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jle     \t
end

template less.i64+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jle     \t
end

template less.i64+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jle     \t
end

# Floats.
template less.f32+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, \a
        ja      \t
end

template less.f32+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, \a
        ja      \t
end

template less.f32+jmpt, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        ja      \t
end

template less.f32+jmpt, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        ja      \t
end

template less.f32+jmpt, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        ja      \t
end

template less.f32+jmpt, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        ja      \t
end

template less.f32+jmpt, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        ja      \t
end

template less.f32+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, \a
        jbe     \t
end

template less.f32+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, \a
        jbe     \t
end

template less.f32+jmpf, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jbe     \t
end

template less.f32+jmpf, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jbe     \t
end

template less.f32+jmpf, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jbe     \t
end

template less.f32+jmpf, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jbe     \t
end

template less.f32+jmpf, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jbe     \t
end

template less.f64+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, \a
        ja      \t
end

template less.f64+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, \a
        ja      \t
end

template less.f64+jmpt, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        ja      \t
end

template less.f64+jmpt, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        ja      \t
end

template less.f64+jmpt, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        ja      \t
end

template less.f64+jmpt, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        ja      \t
end

template less.f64+jmpt, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        ja      \t
end

template less.f64+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, \a
        jbe     \t
end

template less.f64+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, \a
        jbe     \t
end

template less.f64+jmpf, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jbe     \t
end

template less.f64+jmpf, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jbe     \t
end

template less.f64+jmpf, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jbe     \t
end

template less.f64+jmpf, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jbe     \t
end

template less.f64+jmpf, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jbe     \t
end
