# wrap d, a: the low 32 bits, i64 to i32.
#
# A 32-bit move clears the upper half, also where d and a are the same register.

template wrap, out d:gp, in a:gp
        mov     \d32, \a32
end

template wrap, out d:gp, in a:slot32
        mov     \d32, dword ptr [FRAME + \a]
end

template wrap, out d:gp, in a:slot8
        mov     \d32, dword ptr [FRAME + \a]
end
