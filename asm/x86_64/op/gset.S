# gset NAME, a: writes the global whose cell is `t`.
#
# A cell has 8 bytes. An i32 is cut to its low half first, so that whoever reads all 8 finds it zero-extended; an f32
# writes the low 4, and nobody reads the rest.

template gset.i32, in a:gp, target t:data, clobber rax
        mov     eax, \a32
        mov     qword ptr [rip + \t], rax
end

template gset.i64, in a:gp, target t:data
        mov     qword ptr [rip + \t], \a
end

template gset.i64, in a:imm32, target t:data
        mov     qword ptr [rip + \t], \a
end

template gset.f32, in a:xmm, target t:data
        movss   dword ptr [rip + \t], \a
end

template gset.f64, in a:xmm, target t:data
        movsd   qword ptr [rip + \t], \a
end
