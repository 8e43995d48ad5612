# What a function does to its stack on the way in and out: saved registers pushed and popped, room for slots made and
# given back. `a` is a number of bytes.

template frame.push, in a:gp
        push    \a
end

template frame.pop, out d:gp
        pop     \d
end

template frame.enter, in a:imm32, clobber flags
        sub     FRAME, \a
end

template frame.enter, in a:imm8, clobber flags
        sub     FRAME, \a
end

template frame.leave, in a:imm32, clobber flags
        add     FRAME, \a
end

template frame.leave, in a:imm8, clobber flags
        add     FRAME, \a
end
