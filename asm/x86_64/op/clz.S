# clz d, a: how many zero bits lead; the width for zero.
#
# Without LZCNT: `bsr` finds the highest set bit, whose number turns into the count by flipping its bits. It leaves
# its result undefined for zero, which is replaced by the number that flips into the width.

template clz.i32, out d:gp, in a:gp, clobber flags, needs lzcnt
        lzcnt   \d32, \a32
end

template clz.i32, out d:gp, in a:gp, clobber rax rcx flags
        bsr     eax, \a32
        mov     ecx, 63
        cmovz   eax, ecx
        xor     eax, 31
        mov     \d32, eax
end

template clz.i64, out d:gp, in a:gp, clobber flags, needs lzcnt
        lzcnt   \d, \a
end

template clz.i64, out d:gp, in a:gp, clobber rax rcx flags
        bsr     rax, \a
        mov     ecx, 127
        cmovz   rax, rcx
        xor     rax, 63
        mov     \d, rax
end
