# bits d, a: the raw bits of a float as an int, or of an int as a float.

template bits.i32.f32, out d:gp, in a:xmm
        movd    \d32, \a
end

template bits.f32.i32, out d:xmm, in a:gp
        movd    \d, \a32
end

template bits.i64.f64, out d:gp, in a:xmm
        movq    \d, \a
end

template bits.f64.i64, out d:xmm, in a:gp
        movq    \d, \a
end

template bits.i32.f32, out d:gp, in a:slot32
        mov     \d32, dword ptr [FRAME + \a]
end

template bits.i32.f32, out d:gp, in a:slot8
        mov     \d32, dword ptr [FRAME + \a]
end

template bits.f32.i32, out d:xmm, in a:slot32
        movss   \d, dword ptr [FRAME + \a]
end

template bits.f32.i32, out d:xmm, in a:slot8
        movss   \d, dword ptr [FRAME + \a]
end

template bits.i64.f64, out d:gp, in a:slot32
        mov     \d, qword ptr [FRAME + \a]
end

template bits.i64.f64, out d:gp, in a:slot8
        mov     \d, qword ptr [FRAME + \a]
end

template bits.f64.i64, out d:xmm, in a:slot32
        movsd   \d, qword ptr [FRAME + \a]
end

template bits.f64.i64, out d:xmm, in a:slot8
        movsd   \d, qword ptr [FRAME + \a]
end
