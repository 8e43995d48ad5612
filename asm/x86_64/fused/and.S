# and d, a, b and a branch on d, where nothing else reads d: a test of bits.
#
# `test` sets the flags as `and` would and writes no register. Both branches are here, since a fusion must serve both.

template and.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        test    \a32, \b32
        jnz     \t
end

template and.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        test    \a32, \b32
        jnz     \t
end

template and.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        test    \a32, \b
        jnz     \t
end

template and.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel8, clobber flags
        test    \a32, \b
        jnz     \t
end

template and.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        test    \a32, \b32
        jz      \t
end

template and.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        test    \a32, \b32
        jz      \t
end

template and.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        test    \a32, \b
        jz      \t
end

template and.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel8, clobber flags
        test    \a32, \b
        jz      \t
end

template and.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        test    \a, \b
        jnz     \t
end

template and.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        test    \a, \b
        jnz     \t
end

template and.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        test    \a, \b
        jnz     \t
end

template and.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel8, clobber flags
        test    \a, \b
        jnz     \t
end

template and.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        test    \a, \b
        jz      \t
end

template and.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        test    \a, \b
        jz      \t
end

template and.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        test    \a, \b
        jz      \t
end

template and.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel8, clobber flags
        test    \a, \b
        jz      \t
end
