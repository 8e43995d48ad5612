# leq fused with the branch on its result, which then needs no register: +jmpt goes to the label where it holds, +jmpf
# where it does not. A constant on the left is compared from the right, with the condition turned around.
#
# Floats: asked as "b above or equal to a", which is false for NaN; this makes a the operand that can come from
# memory.

template leq.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jle     \t
end

template leq.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jle     \t
end

template leq.i32+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jle     \t
end

template leq.i32+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jle     \t
end

template leq.i32+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jle     \t
end

template leq.i32+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jge     \t
end

template leq.i32+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jge     \t
end

template leq.i32+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jge     \t
end

template leq.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jg      \t
end

template leq.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jg      \t
end

template leq.i32+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jg      \t
end

template leq.i32+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jg      \t
end

template leq.i32+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jg      \t
end

template leq.i32+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jl      \t
end

template leq.i32+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jl      \t
end

template leq.i32+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jl      \t
end

template leq.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jle     \t
end

template leq.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jle     \t
end

template leq.i64+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jle     \t
end

template leq.i64+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jle     \t
end

template leq.i64+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jle     \t
end

template leq.i64+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jge     \t
end

template leq.i64+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jge     \t
end

template leq.i64+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jge     \t
end

template leq.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jg      \t
end

template leq.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jg      \t
end

template leq.i64+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jg      \t
end

template leq.i64+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jg      \t
end

template leq.i64+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jg      \t
end

template leq.i64+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jl      \t
end

template leq.i64+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jl      \t
end

template leq.i64+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jl      \t
end

# Floats.
template leq.f32+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, \a
        jae     \t
end

template leq.f32+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, \a
        jae     \t
end

template leq.f32+jmpt, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jae     \t
end

template leq.f32+jmpt, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jae     \t
end

template leq.f32+jmpt, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jae     \t
end

template leq.f32+jmpt, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jae     \t
end

template leq.f32+jmpt, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jae     \t
end

template leq.f32+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, \a
        jb      \t
end

template leq.f32+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, \a
        jb      \t
end

template leq.f32+jmpf, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jb      \t
end

template leq.f32+jmpf, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jb      \t
end

template leq.f32+jmpf, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [FRAME + \a]
        jb      \t
end

template leq.f32+jmpf, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jb      \t
end

template leq.f32+jmpf, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomiss \b, dword ptr [rip + \a]
        jb      \t
end

template leq.f64+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, \a
        jae     \t
end

template leq.f64+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, \a
        jae     \t
end

template leq.f64+jmpt, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jae     \t
end

template leq.f64+jmpt, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jae     \t
end

template leq.f64+jmpt, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jae     \t
end

template leq.f64+jmpt, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jae     \t
end

template leq.f64+jmpt, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jae     \t
end

template leq.f64+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, \a
        jb      \t
end

template leq.f64+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, \a
        jb      \t
end

template leq.f64+jmpf, in a:slot32, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jb      \t
end

template leq.f64+jmpf, in a:slot8, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jb      \t
end

template leq.f64+jmpf, in a:slot8, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [FRAME + \a]
        jb      \t
end

template leq.f64+jmpf, in a:lit, in b:xmm, target t:rel32, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jb      \t
end

template leq.f64+jmpf, in a:lit, in b:xmm, target t:rel8, clobber flags
        ucomisd \b, qword ptr [rip + \a]
        jb      \t
end
