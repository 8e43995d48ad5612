# Values that placement makes out of nothing: zero, and addresses of the instance's data (`context`) and of places in
# the code (`address`).

template zero.i64, out d:gp, clobber flags
        xor     \d32, \d32
end

template zero.f64, out d:xmm
        xorps   \d, \d
end

template context, out d:gp, target t:data
        lea     \d, [rip + \t]
end

template address, out d:gp, target t:rel32
        lea     \d, [rip + \t]
end
