# rotl d, a, b: a rotated left; the count is taken modulo the width, as the machine does it.
#
# There is no rotation by any register but cl: the copies go through rax and rcx so that d, a and b may stand
# anywhere, rcx included.

template rotl.i32, inout d:gp, in b:imm8, clobber flags
        rol     \d32, \b
end

template rotl.i32, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     eax, \a32
        mov     ecx, \b32
        rol     eax, cl
        mov     \d32, eax
end

template rotl.i64, inout d:gp, in b:imm8, clobber flags
        rol     \d, \b
end

template rotl.i64, out d:gp, in a:gp, in b:gp-rax, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \b32
        rol     rax, cl
        mov     \d, rax
end
