# extu d, a: zero-extended, i32 to i64.
#
# A 32-bit move clears the upper half. It is needed even from a register to itself: the upper half of `a` is anything.

template extu, out d:gp, in a:gp
        mov     \d32, \a32
end

template extu, out d:gp, in a:slot32
        mov     \d32, dword ptr [FRAME + \a]
end

template extu, out d:gp, in a:slot8
        mov     \d32, dword ptr [FRAME + \a]
end
