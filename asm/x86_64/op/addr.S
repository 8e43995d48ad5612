# addr d, NAME: the native address of a function, an extern or data.
#
# `t` is the place itself, where it lies with the code, or a cell that holds the address of what lies elsewhere.

template addr, out d:gp, target t:data
        lea     \d, [rip + \t]
end
