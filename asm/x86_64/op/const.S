# const d, LIT.
#
# A 32-bit move clears the upper half, so it serves every constant from 0 to 2^32 - 1; a 64-bit move with a 32-bit
# constant sign-extends. Into a slot only the sign-extending form exists: it serves an i32 where the constant is not
# negative. Floats come from the literal pool.

template const.i32, out d:gp, in a:uimm32
        mov     \d32, \a
end

template const.i64, out d:gp, in a:uimm32
        mov     \d32, \a
end

template const.i64, out d:gp, in a:imm32
        mov     \d, \a
end

template const.i64, out d:gp, in a:imm64
        movabs  \d, \a
end

template const.i64, out d:slot32, in a:imm32
        mov     qword ptr [FRAME + \d], \a
end

template const.i64, out d:slot8, in a:imm32
        mov     qword ptr [FRAME + \d], \a
end

template const.f32, out d:xmm, in a:lit
        movss   \d, dword ptr [rip + \a]
end

template const.f64, out d:xmm, in a:lit
        movsd   \d, qword ptr [rip + \a]
end
