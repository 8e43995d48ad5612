# Into stitched code from Rust and back. All of these are placed once for each arena of executable memory, not in images.
#
# `enter` and `enter.int` are functions of the System V convention, `(context) -> status`. The context holds the
# arguments and gets the results; the arguments and results that stand on the stack are written and read by Rust, on
# the Spasm stack, at CONTEXT_SPASM_SP. Status 0: the function returned. Status 1: a trap or a `halt` ended it.
#
# While stitched code runs, rbx keeps the context (Spasm functions preserve it), and [context + CONTEXT_HOST_SP] is
# the host's stack pointer, 16-byte aligned, above it the host's saved registers:
#
#        │ return address into Rust           │
#        │ rbx rbp r12 r13 r14 r15, 8 unused  │ ◄─ CONTEXT_HOST_SP

# every kind of argument and result
template enter, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 flags
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 8
        mov     rbx, rdi
        mov     [rbx + CONTEXT_HOST_SP], rsp
        mov     rsp, [rbx + CONTEXT_SPASM_SP]
        mov     MEMORY, [rbx + CONTEXT_MEMORY]
        mov     rdi, [rbx + CONTEXT_INTS]
        mov     rsi, [rbx + CONTEXT_INTS + 8]
        mov     r8, [rbx + CONTEXT_INTS + 16]
        mov     r9, [rbx + CONTEXT_INTS + 24]
        mov     r10, [rbx + CONTEXT_INTS + 32]
        mov     r11, [rbx + CONTEXT_INTS + 40]
        movsd   xmm0, [rbx + CONTEXT_FLOATS]
        movsd   xmm1, [rbx + CONTEXT_FLOATS + 8]
        movsd   xmm2, [rbx + CONTEXT_FLOATS + 16]
        movsd   xmm3, [rbx + CONTEXT_FLOATS + 24]
        movsd   xmm4, [rbx + CONTEXT_FLOATS + 32]
        movsd   xmm5, [rbx + CONTEXT_FLOATS + 40]
        movsd   xmm6, [rbx + CONTEXT_FLOATS + 48]
        movsd   xmm7, [rbx + CONTEXT_FLOATS + 56]
        mov     COUNT, [rbx + CONTEXT_COUNT]
        call    [rbx + CONTEXT_ENTRY]
        mov     [rbx + CONTEXT_RESULTS], rax
        mov     [rbx + CONTEXT_RESULTS + 8], rdx
        movsd   [rbx + CONTEXT_RESULTS + 16], xmm0
        movsd   [rbx + CONTEXT_RESULTS + 24], xmm1
        mov     rsp, [rbx + CONTEXT_HOST_SP]
        xor     eax, eax
        add     rsp, 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
end

# the same where no parameter and no result is a float
template enter.int, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 flags
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 8
        mov     rbx, rdi
        mov     [rbx + CONTEXT_HOST_SP], rsp
        mov     rsp, [rbx + CONTEXT_SPASM_SP]
        mov     MEMORY, [rbx + CONTEXT_MEMORY]
        mov     rdi, [rbx + CONTEXT_INTS]
        mov     rsi, [rbx + CONTEXT_INTS + 8]
        mov     r8, [rbx + CONTEXT_INTS + 16]
        mov     r9, [rbx + CONTEXT_INTS + 24]
        mov     r10, [rbx + CONTEXT_INTS + 32]
        mov     r11, [rbx + CONTEXT_INTS + 40]
        mov     COUNT, [rbx + CONTEXT_COUNT]
        call    [rbx + CONTEXT_ENTRY]
        mov     [rbx + CONTEXT_RESULTS], rax
        mov     [rbx + CONTEXT_RESULTS + 8], rdx
        mov     rsp, [rbx + CONTEXT_HOST_SP]
        xor     eax, eax
        add     rsp, 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
end

# Where the signal handler sends a thread whose stitched code trapped, with the context in rdi: leaves `enter` with
# status 1. The Spasm stack stays as it was, for whoever wants to walk it.
template trap_exit, clobber rax flags
        mov     rsp, [rdi + CONTEXT_HOST_SP]
        mov     eax, 1
        add     rsp, 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
end

# What stands where no code stands any more: faults at whichever byte it is entered.
template filler
        hlt
end
