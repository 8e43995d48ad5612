# Whole functions for the tests of execution, written by hand as the stitcher would make them.

template identity
        mov     rax, rdi
        ret
end

# the seventh and eighth int arguments stand on the stack: 7th - 8th, first as the result that stands behind them
template stacked
        mov     rcx, [FRAME + 8]
        sub     rcx, [FRAME + 16]
        mov     rax, rdi
        mov     rdx, r11
        mov     [FRAME + 24], rcx
        ret
end

# (f64, i64, f32) -> (f64, f32, i64)
template mixed
        addsd   xmm0, xmm0
        addss   xmm1, xmm1
        mov     rax, rdi
        ret
end

# variadic: the count and the last argument together
template variadic
        add     COUNT, [FRAME + COUNT * 8]
        ret
end

template divide, in b:gp
        mov     rax, rdi
        cqo
        fault divide \b
        idiv    \b
        ret
end

template unreachable
        trap unreachable
end

template halt
        trap halt
end

# calls itself for ever, each time with a small frame
template deep_small
1:
        sub     FRAME, 8
        call    1b
end

# the same with a frame of 512 KiB, touched nowhere
template deep_large
1:
        sub     FRAME, 0x80008
        call    1b
end

# counts down from its argument by calling itself, then traps
template down
1:
        sub     FRAME, 8
        dec     rdi
        jz      2f
        call    1b
2:
        trap unreachable
end

# saves what callers want kept, and traps with all of it changed
template saved
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        xor     ebx, ebx
        xor     ebp, ebp
        xor     r12, r12
        xor     r13, r13
        xor     r14, r14
        xor     r15, r15
        trap unreachable
end

template load, in o:off32
        mov     eax, edi
        mov     rax, [MEMORY + rax + \o]
        ret
end

template store
        mov     eax, edi
        mov     [MEMORY + rax], rsi
        ret
end

# reads an address that is none of its instance's
template wild
        mov     rax, [rdi]
        ret
end

template bump, target global:data
        add     qword ptr [rip + \global], rdi
        mov     rax, [rip + \global]
        ret
end

template pages, target pages:data
        mov     eax, [rip + \pages]
        ret
end

# what the table has at the index: the function's result, and its signature's number
template through, target table:data
        push    rbx
        lea     rcx, [rip + \table]
        shl     rdi, 4
        lea     rbx, [rcx + rdi]
        mov     rdi, 5
        call    [rbx]
        mov     edx, [rbx + 8]
        pop     rbx
        ret
end

# calls the helper in a cell with up to three ints and a float; ends where the status in eax says so
template helper, target context:data, target cell:data
        sub     FRAME, 8
        mov     rcx, r8
        mov     rdx, rsi
        mov     rsi, rdi
        lea     rdi, [rip + \context]
        call    [rip + \cell]
        test    eax, eax
        jnz     1f
        add     FRAME, 8
        ret
1:
        trap halt
end

# the same for the helpers whose status says that a range lies outside the memory
template ranges, target context:data, target cell:data
        sub     FRAME, 8
        mov     rcx, r8
        mov     rdx, rsi
        mov     rsi, rdi
        lea     rdi, [rip + \context]
        call    [rip + \cell]
        test    eax, eax
        jnz     1f
        add     FRAME, 8
        ret
1:
        trap out_of_bounds_memory_access
end

# calls the helper in a cell; ends where the status in edx says so
template reader, target context:data, target cell:data
        sub     FRAME, 8
        lea     rdi, [rip + \context]
        call    [rip + \cell]
        test    edx, edx
        jnz     1f
        add     FRAME, 8
        ret
1:
        trap halt
end

# returns what the helper returns
template value, target context:data, target cell:data
        sub     FRAME, 8
        mov     rsi, rdi
        lea     rdi, [rip + \context]
        call    [rip + \cell]
        add     FRAME, 8
        ret
end
