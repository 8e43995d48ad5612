# div d, a, b: the signed quotient, truncated towards zero; by zero, and MIN / -1, trap.
#
# The hardware traps in exactly these cases (#DE), so nothing is tested here: the handler of the fault tells the two
# apart by the divisor. It must therefore still be in its register then, and rax and rdx, which take the dividend, are no
# place for it. `a` comes from anywhere, so that a divisor in a slot or a constant can have the scratch register.

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
