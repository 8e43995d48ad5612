# jmpt c, L: continues at the label if the int `a` is not 0, all 64 bits of it.

template jmpt, in a:gp, target t:rel32, clobber flags
        test    \a, \a
        jnz     \t
end

template jmpt, in a:gp, target t:rel8, clobber flags
        test    \a, \a
        jnz     \t
end

template jmpt, in a:slot32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jnz     \t
end

template jmpt, in a:slot8, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jnz     \t
end

template jmpt, in a:slot8, target t:rel8, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jnz     \t
end
