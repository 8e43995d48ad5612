# ext32 d, a: the low 32 bits, sign-extended.

template ext32.i64, out d:gp, in a:gp
        movsxd  \d, \a32
end

template ext32.i64, out d:gp, in a:slot32
        movsxd  \d, dword ptr [FRAME + \a]
end

template ext32.i64, out d:gp, in a:slot8
        movsxd  \d, dword ptr [FRAME + \a]
end
