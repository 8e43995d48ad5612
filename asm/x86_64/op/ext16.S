# ext16 d, a: the low 16 bits, sign-extended to the type.

template ext16.i32, out d:gp, in a:gp
        movsx   \d32, \a16
end

template ext16.i32, out d:gp, in a:slot32
        movsx   \d32, word ptr [FRAME + \a]
end

template ext16.i32, out d:gp, in a:slot8
        movsx   \d32, word ptr [FRAME + \a]
end

template ext16.i64, out d:gp, in a:gp
        movsx   \d, \a16
end

template ext16.i64, out d:gp, in a:slot32
        movsx   \d, word ptr [FRAME + \a]
end

template ext16.i64, out d:gp, in a:slot8
        movsx   \d, word ptr [FRAME + \a]
end
