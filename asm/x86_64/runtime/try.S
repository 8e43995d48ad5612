# Where linked programs catch traps. These are no templates: the build assembles this file as it is, and the writer of
# objects puts it beside the runtime in Rust.

        .intel_syntax noprefix
        .text

# int __spasm_enter(void (*body)(void *), void *data, void **sp)
#
# Calls the body. What a caller counts on is kept on the stack, whose place is written to *sp.
        .globl  __spasm_enter
        .type   __spasm_enter, @function
__spasm_enter:
        .cfi_startproc
        endbr64
        push    rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        push    rbp
        .cfi_def_cfa_offset 24
        .cfi_offset rbp, -24
        push    r12
        .cfi_def_cfa_offset 32
        .cfi_offset r12, -32
        push    r13
        .cfi_def_cfa_offset 40
        .cfi_offset r13, -40
        push    r14
        .cfi_def_cfa_offset 48
        .cfi_offset r14, -48
        push    r15
        .cfi_def_cfa_offset 56
        .cfi_offset r15, -56
        sub     rsp, 8
        .cfi_def_cfa_offset 64
        stmxcsr [rsp]
        fnstcw  [rsp + 4]
        mov     [rdx], rsp
        mov     rax, rdi
        mov     rdi, rsi
        call    rax
        xor     eax, eax
1:
        add     rsp, 8
        .cfi_def_cfa_offset 56
        pop     r15
        .cfi_def_cfa_offset 48
        .cfi_restore r15
        pop     r14
        .cfi_def_cfa_offset 40
        .cfi_restore r14
        pop     r13
        .cfi_def_cfa_offset 32
        .cfi_restore r13
        pop     r12
        .cfi_def_cfa_offset 24
        .cfi_restore r12
        pop     rbp
        .cfi_def_cfa_offset 16
        .cfi_restore rbp
        pop     rbx
        .cfi_def_cfa_offset 8
        .cfi_restore rbx
        ret
        .cfi_endproc
        .size   __spasm_enter, . - __spasm_enter

# void __spasm_leave(void *sp, int status)
#
# Where a signal handler sends a thread whose call has trapped.
        .globl  __spasm_leave
        .type   __spasm_leave, @function
__spasm_leave:
        endbr64
        mov     rsp, rdi
        mov     eax, esi
        fninit
        fldcw   [rsp + 4]
        ldmxcsr [rsp]
        cld
        jmp     1b
        .size   __spasm_leave, . - __spasm_leave

        .section .note.GNU-stack, "", @progbits
