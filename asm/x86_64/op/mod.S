# mod d, a, b: the signed remainder, with the sign of the dividend; by zero traps, and MIN mod -1 is 0.
#
# `idiv` faults on MIN / -1, so it is skipped for the divisor -1: every remainder by it is 0. The fault of a division
# by zero is told by the divisor's register, which must still hold it. The 32-bit form divides by a copy in rcx,
# because the distance of the jump must not depend on whether the divisor's register needs a prefix.

template mod.i32, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rcx rdx flags
        mov     eax, \a32
        mov     ecx, \b32
        xor     edx, edx
        cmp     ecx, -1
        je      1f
        cdq
        fault divide \b
        idiv    ecx
1:
        mov     \d32, edx
end

template mod.i32, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rcx rdx flags
        mov     eax, dword ptr [FRAME + \a]
        mov     ecx, \b32
        xor     edx, edx
        cmp     ecx, -1
        je      1f
        cdq
        fault divide \b
        idiv    ecx
1:
        mov     \d32, edx
end

template mod.i32, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rcx rdx flags
        mov     eax, dword ptr [FRAME + \a]
        mov     ecx, \b32
        xor     edx, edx
        cmp     ecx, -1
        je      1f
        cdq
        fault divide \b
        idiv    ecx
1:
        mov     \d32, edx
end

template mod.i32, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rcx rdx flags
        mov     eax, \a
        mov     ecx, \b32
        xor     edx, edx
        cmp     ecx, -1
        je      1f
        cdq
        fault divide \b
        idiv    ecx
1:
        mov     \d32, edx
end

template mod.i64, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        xor     edx, edx
        cmp     \b, -1
        je      1f
        cqo
        fault divide \b
        idiv    \b
1:
        mov     \d, rdx
end

template mod.i64, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        xor     edx, edx
        cmp     \b, -1
        je      1f
        cqo
        fault divide \b
        idiv    \b
1:
        mov     \d, rdx
end

template mod.i64, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        xor     edx, edx
        cmp     \b, -1
        je      1f
        cqo
        fault divide \b
        idiv    \b
1:
        mov     \d, rdx
end

template mod.i64, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        xor     edx, edx
        cmp     \b, -1
        je      1f
        cqo
        fault divide \b
        idiv    \b
1:
        mov     \d, rdx
end
