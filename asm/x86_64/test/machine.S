# spasm_test_run(state): runs a piece of code with every register set, and tells what they hold afterwards. For tests;
# the build does not read this file.
#
# The state, rdi: 16 general registers (the fourth is rsp), 16 vector registers of 16 bytes at 128, and the host's stack
# pointer at 384. At the state's rsp stand the state's own address and the address of the code, so that no register is
# needed to find either.

        .text
        .globl  spasm_test_run
spasm_test_run:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 8
        mov     [rdi + 384], rsp
        mov     rsp, [rdi + 32]
        movups  xmm0, [rdi + 128]
        movups  xmm1, [rdi + 144]
        movups  xmm2, [rdi + 160]
        movups  xmm3, [rdi + 176]
        movups  xmm4, [rdi + 192]
        movups  xmm5, [rdi + 208]
        movups  xmm6, [rdi + 224]
        movups  xmm7, [rdi + 240]
        movups  xmm8, [rdi + 256]
        movups  xmm9, [rdi + 272]
        movups  xmm10, [rdi + 288]
        movups  xmm11, [rdi + 304]
        movups  xmm12, [rdi + 320]
        movups  xmm13, [rdi + 336]
        movups  xmm14, [rdi + 352]
        movups  xmm15, [rdi + 368]
        mov     rax, [rdi]
        mov     rcx, [rdi + 8]
        mov     rdx, [rdi + 16]
        mov     rbx, [rdi + 24]
        mov     rbp, [rdi + 40]
        mov     rsi, [rdi + 48]
        mov     r8, [rdi + 64]
        mov     r9, [rdi + 72]
        mov     r10, [rdi + 80]
        mov     r11, [rdi + 88]
        mov     r12, [rdi + 96]
        mov     r13, [rdi + 104]
        mov     r14, [rdi + 112]
        mov     r15, [rdi + 120]
        mov     rdi, [rdi + 56]
        call    qword ptr [rsp + 8]
        push    rdi
        mov     rdi, [rsp + 8]
        mov     [rdi], rax
        pop     rax
        mov     [rdi + 56], rax
        mov     [rdi + 8], rcx
        mov     [rdi + 16], rdx
        mov     [rdi + 24], rbx
        mov     [rdi + 32], rsp
        mov     [rdi + 40], rbp
        mov     [rdi + 48], rsi
        mov     [rdi + 64], r8
        mov     [rdi + 72], r9
        mov     [rdi + 80], r10
        mov     [rdi + 88], r11
        mov     [rdi + 96], r12
        mov     [rdi + 104], r13
        mov     [rdi + 112], r14
        mov     [rdi + 120], r15
        movups  [rdi + 128], xmm0
        movups  [rdi + 144], xmm1
        movups  [rdi + 160], xmm2
        movups  [rdi + 176], xmm3
        movups  [rdi + 192], xmm4
        movups  [rdi + 208], xmm5
        movups  [rdi + 224], xmm6
        movups  [rdi + 240], xmm7
        movups  [rdi + 256], xmm8
        movups  [rdi + 272], xmm9
        movups  [rdi + 288], xmm10
        movups  [rdi + 304], xmm11
        movups  [rdi + 320], xmm12
        movups  [rdi + 336], xmm13
        movups  [rdi + 352], xmm14
        movups  [rdi + 368], xmm15
        mov     rsp, [rdi + 384]
        add     rsp, 8
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
