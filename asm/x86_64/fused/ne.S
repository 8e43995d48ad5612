# ne fused with the branch on its result, which then needs no register: +jmpt goes to the label where it holds, +jmpf
# where it does not.
#
# Floats: two numbers are equal where `ucomisd` leaves zero set and parity clear; parity set means that one is NaN.
# That takes two branches, of which the one to the label stands last, so that there is one distance to fill in.

template ne.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jne     \t
end

template ne.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jne     \t
end

template ne.i32+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jne     \t
end

template ne.i32+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jne     \t
end

template ne.i32+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jne     \t
end

template ne.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        je      \t
end

template ne.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        je      \t
end

template ne.i32+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        je      \t
end

template ne.i32+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        je      \t
end

template ne.i32+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        je      \t
end

template ne.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jne     \t
end

template ne.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jne     \t
end

template ne.i64+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jne     \t
end

template ne.i64+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jne     \t
end

template ne.i64+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jne     \t
end

template ne.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        je      \t
end

template ne.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        je      \t
end

template ne.i64+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        je      \t
end

template ne.i64+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        je      \t
end

template ne.i64+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        je      \t
end

# Floats.
template ne.f32+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \a, \b
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \a, \b
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:slot32, target t:rel32, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:slot8, target t:rel32, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:slot8, target t:rel8, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:lit, target t:rel32, clobber flags
        ucomiss \a, dword ptr [rip + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpt, in a:xmm, in b:lit, target t:rel8, clobber flags
        ucomiss \a, dword ptr [rip + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f32+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomiss \a, \b
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomiss \a, \b
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:slot32, target t:rel32, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:slot8, target t:rel32, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:slot8, target t:rel8, clobber flags
        ucomiss \a, dword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:lit, target t:rel32, clobber flags
        ucomiss \a, dword ptr [rip + \b]
        jp      1f
        je      \t
1:
end

template ne.f32+jmpf, in a:xmm, in b:lit, target t:rel8, clobber flags
        ucomiss \a, dword ptr [rip + \b]
        jp      1f
        je      \t
1:
end

template ne.f64+jmpt, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \a, \b
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \a, \b
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:slot32, target t:rel32, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:slot8, target t:rel32, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:slot8, target t:rel8, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:lit, target t:rel32, clobber flags
        ucomisd \a, qword ptr [rip + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpt, in a:xmm, in b:lit, target t:rel8, clobber flags
        ucomisd \a, qword ptr [rip + \b]
        jne     1f
        jnp     2f
1:
        jmp     \t
2:
end

template ne.f64+jmpf, in a:xmm, in b:xmm, target t:rel32, clobber flags
        ucomisd \a, \b
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:xmm, target t:rel8, clobber flags
        ucomisd \a, \b
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:slot32, target t:rel32, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:slot8, target t:rel32, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:slot8, target t:rel8, clobber flags
        ucomisd \a, qword ptr [FRAME + \b]
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:lit, target t:rel32, clobber flags
        ucomisd \a, qword ptr [rip + \b]
        jp      1f
        je      \t
1:
end

template ne.f64+jmpf, in a:xmm, in b:lit, target t:rel8, clobber flags
        ucomisd \a, qword ptr [rip + \b]
        jp      1f
        je      \t
1:
end
