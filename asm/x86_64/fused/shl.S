# shl and the add that takes its result: an address in an array, as `lea` computes it.
#
# The constant decides the template, since `lea` multiplies by 2, 4 or 8. rbp and r13 cannot be the base without one byte
# more.

template shl.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 1
        lea     \d32, [\c + \a*2]
end

template shl.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 2
        lea     \d32, [\c + \a*4]
end

template shl.i32+add.i32, out d:gp, in a:gp, in c:gp-rbp-r13, where b 3
        lea     \d32, [\c + \a*8]
end

template shl.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 1
        lea     \d, [\c + \a*2]
end

template shl.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 2
        lea     \d, [\c + \a*4]
end

template shl.i64+add.i64, out d:gp, in a:gp, in c:gp-rbp-r13, where b 3
        lea     \d, [\c + \a*8]
end
