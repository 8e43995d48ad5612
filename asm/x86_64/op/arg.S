# arg d, i: argument number i of this call, counted from 1, as it was passed; outside 1..=r0 traps.
#
# `a` is i, all 64 bits of it, `b` the number of arguments, `o` the distance of the first from FRAME. One unsigned
# comparison of i - 1 catches 0 too.

template arg, out d:gp, in a:gp, in b:gp-rax, in o:slot32, clobber rax flags
        mov     rax, \a
        sub     rax, 1
        cmp     rax, \b
        jb      1f
        trap out_of_bounds_argument
1:
        mov     \d, qword ptr [FRAME + rax*8 + \o]
end
