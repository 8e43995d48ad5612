# What a function does to its stack on the way in and out: saved registers pushed and popped, room for slots made and
# given back. `a` is a number of bytes.

template frame.push, in a:gp, clobber FRAME
        push    \a
end

template frame.pop, out d:gp, clobber FRAME
        pop     \d
end

template frame.enter, in a:imm32, clobber FRAME flags
        sub     FRAME, \a
end

template frame.enter, in a:imm8, clobber FRAME flags
        sub     FRAME, \a
end

template frame.leave, in a:imm32, clobber FRAME flags
        add     FRAME, \a
end

template frame.leave, in a:imm8, clobber FRAME flags
        add     FRAME, \a
end
