# ctz d, a: how many zero bits trail; the width for zero.
#
# Without BMI1: `bsf` gives the count but leaves its result undefined for zero, which is replaced by the width.

template ctz.i32, out d:gp, in a:gp, clobber flags, needs bmi1
        tzcnt   \d32, \a32
end

template ctz.i32, out d:gp, in a:gp, clobber rax rcx flags
        bsf     eax, \a32
        mov     ecx, 32
        cmovz   eax, ecx
        mov     \d32, eax
end

template ctz.i64, out d:gp, in a:gp, clobber flags, needs bmi1
        tzcnt   \d, \a
end

template ctz.i64, out d:gp, in a:gp, clobber rax rcx flags
        bsf     rax, \a
        mov     ecx, 64
        cmovz   rax, rcx
        mov     \d, rax
end
