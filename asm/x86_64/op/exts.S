# exts d, a: sign-extended, i32 to i64.

template exts, out d:gp, in a:gp
        movsxd  \d, \a32
end

template exts, out d:gp, in a:slot32
        movsxd  \d, dword ptr [FRAME + \a]
end

template exts, out d:gp, in a:slot8
        movsxd  \d, dword ptr [FRAME + \a]
end
