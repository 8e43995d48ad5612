# call (d, …), NAME, x, …: calls the function whose entry is `t`.
#
# The callee keeps the registers of the set `saved`; all others change. Arguments and results are in their places
# already.

template call, target t:rel32, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        call    \t
end

# The same for a C function, whose address is in the cell `t`; as for `callp`, there must be room on the stack.

template call.extern, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    qword ptr [rip + \t]
end

# The same for an imported function: the cell `t` holds the address of what a store keeps of it, which begins with the
# address of its entry.

template call.import, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        mov     rcx, qword ptr [rip + \t]
        call    qword ptr [rcx]
end
