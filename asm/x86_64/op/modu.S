# modu d, a, b: the unsigned remainder; by zero traps.
#
# The hardware's own fault is the test for zero; the divisor must still be in its register then, so rax and rdx, which
# take the dividend, are no place for it.

template modu.i32, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, \a32
        xor     edx, edx
        fault divide \b
        div     \b32
        mov     \d32, edx
end

template modu.i32, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, dword ptr [FRAME + \a]
        xor     edx, edx
        fault divide \b
        div     \b32
        mov     \d32, edx
end

template modu.i32, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, dword ptr [FRAME + \a]
        xor     edx, edx
        fault divide \b
        div     \b32
        mov     \d32, edx
end

template modu.i32, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     eax, \a
        xor     edx, edx
        fault divide \b
        div     \b32
        mov     \d32, edx
end

template modu.i64, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        xor     edx, edx
        fault divide \b
        div     \b
        mov     \d, rdx
end

template modu.i64, out d:gp, in a:slot32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        xor     edx, edx
        fault divide \b
        div     \b
        mov     \d, rdx
end

template modu.i64, out d:gp, in a:slot8, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, qword ptr [FRAME + \a]
        xor     edx, edx
        fault divide \b
        div     \b
        mov     \d, rdx
end

template modu.i64, out d:gp, in a:imm32, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        xor     edx, edx
        fault divide \b
        div     \b
        mov     \d, rdx
end
