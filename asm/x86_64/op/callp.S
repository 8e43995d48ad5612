# callp (d, …), p, (T, …) -> T, x, …: calls the C function at the native address `a`.
#
# The callee keeps the registers that C functions keep, which are those of the set `saved`. Arguments and results are in
# their places already, and eax holds what a variadic callee wants to know. C must find room on the stack: the read
# below the stack pointer faults where there is too little, which is then this program's stack overflow.

template callp, in a:gp, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    \a
end
