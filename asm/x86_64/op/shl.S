# shl d, a, b: a shifted left; the count is taken modulo the width, as the machine does it.
#
# With BMI2 any register can hold the count. Without it the count must be in cl: the copies go through rax and rcx so
# that d, a and b may stand anywhere, rcx included.

template shl.i32, inout d:gp, in b:imm8, clobber flags
        shl     \d32, \b
end

template shl.i32, out d:gp, in a:gp, in b:gp, needs bmi2
        shlx    \d32, \a32, \b32
end

template shl.i32, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     eax, \a32
        mov     ecx, \b32
        shl     eax, cl
        mov     \d32, eax
end

template shl.i64, inout d:gp, in b:imm8, clobber flags
        shl     \d, \b
end

template shl.i64, out d:gp, in a:gp, in b:gp, needs bmi2
        shlx    \d, \a, \b
end

template shl.i64, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \b32
        shl     rax, cl
        mov     \d, rax
end
