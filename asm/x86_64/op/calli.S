# calli (d, …), TABLE, i, (T, …) -> T, x, …: calls the function that stands in the table at i; an index outside the
# table, and a function of another signature, trap.
#
# `a` is i, all 64 bits of it, `b` the length of the table, `s` the number of the signature, `t` the table, whose
# entries have 16 bytes: the address of the function's entry, the number of its signature in 4, and 4 unused. rax is
# left alone on the way to the callee, for it counts the arguments of a variadic function; so are the argument
# registers. The callee keeps the registers of the set `saved`; all others change. Arguments and results are in their
# places already.

template calli, in a:gp-rax, in b:imm32, in s:imm32, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     \a, \b
        jb      1f
        trap undefined_element
1:
        mov     rcx, \a
        shl     rcx, 4
        lea     rdx, [rip + \t]
        add     rcx, rdx
        cmp     dword ptr [rcx + 8], \s
        je      2f
        trap indirect_call_type_mismatch
2:
        call    qword ptr [rcx]
end

# The same for a table that can grow, and whose functions may be those of other modules. The cell `t` holds the address
# of what a store keeps of the table: the address of its elements, and their number. An element is the address of what
# the store keeps of a function: the address of its entry, and the number of its signature in 4 bytes. That number for
# the signature named here stands in the cell `s`. `a` is i, of which the table has all 64 bits compared.

template calli.growing, in a:gp-rax-rcx-rdx, target t:data, target s:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        mov     rdx, qword ptr [rip + \t]
        cmp     \a, qword ptr [rdx + 8]
        jb      1f
        trap undefined_element
1:
        mov     rdx, qword ptr [rdx]
        mov     rcx, qword ptr [rdx + \a*8]
        test    rcx, rcx
        jnz     2f
        trap uninitialized_element
2:
        mov     edx, dword ptr [rip + \s]
        cmp     dword ptr [rcx + 8], edx
        je      3f
        trap indirect_call_type_mismatch
3:
        call    qword ptr [rcx]
end
