# What calls of C functions and calls by C functions need beside instructions: narrow values, addresses in the frame,
# and the pieces of C entries.

# uint8_t and uint16_t as C passes and returns them, `_Bool` from any int
template zext8, out d:gp, in a:gp
        movzx   \d32, \a8
end

template zext16, out d:gp, in a:gp
        movzx   \d32, \a16
end

template truth, out d:gp, in a:gp, clobber flags
        test    \a, \a
        setne   \d8
        movzx   \d32, \d8
end

# what C gets by address, and where C puts large results
template frame.address, out d:gp, in o:slot32
        lea     \d, [FRAME + \o]
end

template frame.address, out d:gp, in o:slot8
        lea     \d, [FRAME + \o]
end

# the address of a C function, or of the linear memory
template cell, out d:gp, target t:data
        mov     \d, qword ptr [rip + \t]
end

# Machines that check where indirect calls and jumps lead want this there; to all others it does nothing.
template landing
        endbr64
end

# `a` is how many variadic arguments there are. C has passed the first `b` of them in registers; the rest stands on the
# stack in a row from `s` on and goes to `t`. More than `m` traps: Spasm functions have no more arguments.
template entry.rest, in a:gp, in b:imm32, in m:imm32, in s:slot32, in t:slot32, clobber rcx rsi rdi flags
        mov     rcx, \a
        cmp     rcx, \m
        jbe     1f
        trap out_of_bounds_argument
1:
        sub     rcx, \b
        jbe     2f
        lea     rsi, [FRAME + \s]
        lea     rdi, [FRAME + \t]
        rep movsq
2:
end

template entry.jump, target t:rel32
        jmp     \t
end

# A closure of the host: its shim, `b`, finds the address of what it has captured, `a`, in the register behind the last
# argument.
template closure, out d:gp-rax, in a:imm64, in b:imm64, clobber rax
        movabs  \d, \a
        movabs  rax, \b
        jmp     rax
end
