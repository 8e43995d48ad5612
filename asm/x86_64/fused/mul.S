# mul by a constant, and mul by one and the add that takes its result.
#
# `lea` adds a register to itself times 2, 4 or 8, in a third of the time of `imul`. A power of two is a shift. What
# suits none of these is left to op/mul.S.

template mul.i32, out d:gp, in a:gp-rbp-r13, where b 3
        lea     \d32, [\a + \a*2]
end

template mul.i32, out d:gp, in a:gp-rbp-r13, where b 5
        lea     \d32, [\a + \a*4]
end

template mul.i32, out d:gp, in a:gp-rbp-r13, where b 9
        lea     \d32, [\a + \a*8]
end

template mul.i32, inout d:gp, in n:imm8, where b 2^n, clobber flags
        shl     \d32, \n
end

template mul.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 2
        lea     \d32, [\c + \a*2]
end

template mul.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 4
        lea     \d32, [\c + \a*4]
end

template mul.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 8
        lea     \d32, [\c + \a*8]
end

template mul.i64, out d:gp, in a:gp-rbp-r13, where b 3
        lea     \d, [\a + \a*2]
end

template mul.i64, out d:gp, in a:gp-rbp-r13, where b 5
        lea     \d, [\a + \a*4]
end

template mul.i64, out d:gp, in a:gp-rbp-r13, where b 9
        lea     \d, [\a + \a*8]
end

template mul.i64, inout d:gp, in n:imm8, where b 2^n, clobber flags
        shl     \d, \n
end

template mul.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 2
        lea     \d, [\c + \a*2]
end

template mul.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 4
        lea     \d, [\c + \a*4]
end

template mul.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 8
        lea     \d, [\c + \a*8]
end
