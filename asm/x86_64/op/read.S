# read d: reads a number from standard input.
#
# The helper's address is in the cell `t`; it must find room on the stack, and is called by the C convention, so every volatile register changes.
# Arguments and results are moved by the stitcher, and the frame is aligned to 16 bytes already. The result is in rax
# (of a float its bits); a status other than 0 in edx ends the program.

template read.i64, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    qword ptr [rip + \t]
        test    edx, edx
        jz      1f
        trap halt
1:
end

template read.f32, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    qword ptr [rip + \t]
        test    edx, edx
        jz      1f
        trap halt
1:
end

template read.f64, target t:data, clobber rax rcx rdx rsi rdi r8 r9 r10 r11 xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15 flags
        cmp     dword ptr [FRAME - C_STACK], 0
        call    qword ptr [rip + \t]
        test    edx, edx
        jz      1f
        trap halt
1:
end
