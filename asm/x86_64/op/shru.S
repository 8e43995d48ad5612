# shru d, a, b: a shifted right, zeros coming in; the count is taken modulo the width, as the machine does it.
#
# With BMI2 any register can hold the count. Without it the count must be in cl: the copies go through rax and rcx so
# that d, a and b may stand anywhere, rcx included.

template shru.i32, inout d:gp, in b:imm8, clobber flags
        shr     \d32, \b
end

template shru.i32, out d:gp, in a:gp, in b:gp, needs bmi2
        shrx    \d32, \a32, \b32
end

template shru.i32, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     eax, \a32
        mov     ecx, \b32
        shr     eax, cl
        mov     \d32, eax
end

template shru.i64, inout d:gp, in b:imm8, clobber flags
        shr     \d, \b
end

template shru.i64, out d:gp, in a:gp, in b:gp, needs bmi2
        shrx    \d, \a, \b
end

template shru.i64, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \b32
        shr     rax, cl
        mov     \d, rax
end
