# jmpf c, L: continues at the label if the int `a` is 0, all 64 bits of it.

template jmpf, in a:gp, target t:rel32, clobber flags
        test    \a, \a
        jz      \t
end

template jmpf, in a:gp, target t:rel8, clobber flags
        test    \a, \a
        jz      \t
end

template jmpf, in a:slot32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jz      \t
end

template jmpf, in a:slot8, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jz      \t
end

template jmpf, in a:slot8, target t:rel8, clobber flags
        cmp     qword ptr [FRAME + \a], 0
        jz      \t
end
