# The way from stitched code to a function of the host that a store has handed to it. Placed once for each arena of
# executable memory, beside `enter`.
#
# SCRATCH0 holds the address of what the store keeps of the function. What travels in registers is put into a block of
# the same layout as that part of the context, and the function in Rust at `a` gets the address of what the store keeps,
# where a context with that block would be, and where the caller's outgoing area is. A status other than 0 ends the call:
# the embedder's handler knows why. The read below the stack pointer faults where a function of the host would find too
# little stack, which is then the program's stack overflow.
#
# The depth of the stack is the same at every instruction that can fault or be returned to.

template host, in a:imm64, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        lea     FRAME, [FRAME - HOST_FRAME]
        cmp     dword ptr [FRAME - HOST_STACK], 0
        mov     [FRAME], rdi
        mov     [FRAME + 8], rsi
        mov     [FRAME + 16], r8
        mov     [FRAME + 24], r9
        mov     [FRAME + 32], r10
        mov     [FRAME + 40], r11
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS], xmm0
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 8], xmm1
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 16], xmm2
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 24], xmm3
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 32], xmm4
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 40], xmm5
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 48], xmm6
        movsd   [FRAME + CONTEXT_FLOATS - CONTEXT_INTS + 56], xmm7
        mov     rdi, SCRATCH0
        lea     rsi, [FRAME - CONTEXT_INTS]
        lea     rdx, [FRAME + HOST_FRAME + 8]
        movabs  rax, \a
        call    rax
        test    eax, eax
        jz      1f
        trap halt
1:
        mov     rax, [FRAME + CONTEXT_RESULTS - CONTEXT_INTS]
        mov     rdx, [FRAME + CONTEXT_RESULTS - CONTEXT_INTS + 8]
        movsd   xmm0, [FRAME + CONTEXT_RESULTS - CONTEXT_INTS + 16]
        movsd   xmm1, [FRAME + CONTEXT_RESULTS - CONTEXT_INTS + 24]
        lea     FRAME, [FRAME + HOST_FRAME]
        ret
end
