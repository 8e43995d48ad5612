# div d, a, b: the signed quotient, truncated towards zero; by zero, and MIN / -1, trap.
#
# The hardware traps in exactly these cases (#DE), so nothing is tested here: the handler of the fault tells the two
# apart by the divisor. It must therefore still be in its register then, and rax and rdx, which take the dividend, are
# no place for it. `a` comes from anywhere, so that a divisor in a slot or a constant can have the scratch register.

template div.i32, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, \a32
        cdq
        fault divide \b
        idiv    \b32
        mov     \d32, eax
end

template div.i32, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, dword ptr [FRAME + \a]
        cdq
        fault divide \b
        idiv    \b32
        mov     \d32, eax
end

template div.i32, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, dword ptr [FRAME + \a]
        cdq
        fault divide \b
        idiv    \b32
        mov     \d32, eax
end

template div.i32, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, \a
        cdq
        fault divide \b
        idiv    \b32
        mov     \d32, eax
end

template div.i64, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end

template div.i64, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end

template div.i64, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end

template div.i64, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end

# Floats. The machine's rule for NaN is the language's: the first NaN operand, made quiet. So a and b must not be
# exchanged.
template div.f32, inout d:xmm, in b:xmm
        divss   \d, \b
end

template div.f32, inout d:xmm, in b:slot32
        divss   \d, dword ptr [FRAME + \b]
end

template div.f32, inout d:xmm, in b:slot8
        divss   \d, dword ptr [FRAME + \b]
end

template div.f32, inout d:xmm, in b:lit
        divss   \d, dword ptr [rip + \b]
end

template div.f32, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vdivss \d, \a, \b
end

template div.f32, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vdivss \d, \a, dword ptr [FRAME + \b]
end

template div.f32, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vdivss \d, \a, dword ptr [FRAME + \b]
end

template div.f32, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vdivss \d, \a, dword ptr [rip + \b]
end

template div.f64, inout d:xmm, in b:xmm
        divsd   \d, \b
end

template div.f64, inout d:xmm, in b:slot32
        divsd   \d, qword ptr [FRAME + \b]
end

template div.f64, inout d:xmm, in b:slot8
        divsd   \d, qword ptr [FRAME + \b]
end

template div.f64, inout d:xmm, in b:lit
        divsd   \d, qword ptr [rip + \b]
end

template div.f64, out d:xmm, in a:xmm, in b:xmm, needs avx
        {vex3}  vdivsd \d, \a, \b
end

template div.f64, out d:xmm, in a:xmm, in b:slot32, needs avx
        {vex3}  vdivsd \d, \a, qword ptr [FRAME + \b]
end

template div.f64, out d:xmm, in a:xmm, in b:slot8, needs avx
        {vex3}  vdivsd \d, \a, qword ptr [FRAME + \b]
end

template div.f64, out d:xmm, in a:xmm, in b:lit, needs avx
        {vex3}  vdivsd \d, \a, qword ptr [rip + \b]
end
