# ext8 d, a: the low 8 bits, sign-extended to the type.

template ext8.i32, out d:gp, in a:gp
        movsx   \d32, \a8
end

template ext8.i32, out d:gp, in a:slot32
        movsx   \d32, byte ptr [FRAME + \a]
end

template ext8.i32, out d:gp, in a:slot8
        movsx   \d32, byte ptr [FRAME + \a]
end

template ext8.i64, out d:gp, in a:gp
        movsx   \d, \a8
end

template ext8.i64, out d:gp, in a:slot32
        movsx   \d, byte ptr [FRAME + \a]
end

template ext8.i64, out d:gp, in a:slot8
        movsx   \d, byte ptr [FRAME + \a]
end
