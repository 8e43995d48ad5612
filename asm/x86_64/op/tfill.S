# tfill TABLE, i, x, n: sets u32(n) elements of a growing table from u32(i) on.
#
# The helper's address is in the cell `t`; it must find room on the stack, and is called by the C convention, so every
# volatile register changes. What it works on is in its arguments already: the context, up to three registers, and the
# numbers of what the instruction names. The result comes in rax. A status other than 0 in edx says that something
# lies outside.

template tfill, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    qword ptr [rip + \t]
        test    edx, edx
        jz      1f
        trap out_of_bounds_table_access
1:
end
