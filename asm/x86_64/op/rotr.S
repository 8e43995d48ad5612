# rotr d, a, b: a rotated right; the count is taken modulo the width, as the machine does it.
#
# There is no rotation by any register but cl: the copies go through rax and rcx so that d, a and b may stand
# anywhere, rcx included. By a constant, BMI2 has a form that leaves a as it is.

template rotr.i32, inout d:gp, in b:imm8, clobber flags
        ror     \d32, \b
end

template rotr.i32, out d:gp, in a:gp, in b:imm8, needs bmi2
        rorx    \d32, \a32, \b
end

template rotr.i32, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     eax, \a32
        mov     ecx, \b32
        ror     eax, cl
        mov     \d32, eax
end

template rotr.i64, inout d:gp, in b:imm8, clobber flags
        ror     \d, \b
end

template rotr.i64, out d:gp, in a:gp, in b:imm8, needs bmi2
        rorx    \d, \a, \b
end

template rotr.i64, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \b32
        ror     rax, cl
        mov     \d, rax
end
