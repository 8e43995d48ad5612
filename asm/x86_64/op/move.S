# move d, a: a copy. Also what placement puts between instructions: loads from slots, stores to slots.
#
# An f32 uses the low four bytes of its slot. Between vector registers the whole register is copied, because a move of
# the low lane alone would depend on what was in d.

template move.i64, out d:gp, in a:gp
        mov     \d, \a
end

template move.i64, out d:gp, in a:slot32
        mov     \d, qword ptr [FRAME + \a]
end

template move.i64, out d:gp, in a:slot8
        mov     \d, qword ptr [FRAME + \a]
end

template move.i64, out d:slot32, in a:gp
        mov     qword ptr [FRAME + \d], \a
end

template move.i64, out d:slot8, in a:gp
        mov     qword ptr [FRAME + \d], \a
end

template move.f32, out d:xmm, in a:xmm
        movaps  \d, \a
end

template move.f32, out d:xmm, in a:slot32
        movss   \d, dword ptr [FRAME + \a]
end

template move.f32, out d:xmm, in a:slot8
        movss   \d, dword ptr [FRAME + \a]
end

template move.f32, out d:slot32, in a:xmm
        movss   dword ptr [FRAME + \d], \a
end

template move.f32, out d:slot8, in a:xmm
        movss   dword ptr [FRAME + \d], \a
end

template move.f64, out d:xmm, in a:xmm
        movaps  \d, \a
end

template move.f64, out d:xmm, in a:slot32
        movsd   \d, qword ptr [FRAME + \a]
end

template move.f64, out d:xmm, in a:slot8
        movsd   \d, qword ptr [FRAME + \a]
end

template move.f64, out d:slot32, in a:xmm
        movsd   qword ptr [FRAME + \d], \a
end

template move.f64, out d:slot8, in a:xmm
        movsd   qword ptr [FRAME + \d], \a
end
