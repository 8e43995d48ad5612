# divu by a power of two: a shift. It cannot trap, since no power of two is zero.

template divu.i32, inout d:gp, in n:imm8, where b 2^n, clobber flags
        shr     \d32, \n
end

template divu.i64, inout d:gp, in n:imm8, where b 2^n, clobber flags
        shr     \d, \n
end
