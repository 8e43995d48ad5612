# sqrt d, a: the square root; of a negative number the default NaN.
#
# `sqrtsd d, a` keeps the upper half of d and so waits for whoever wrote d last; working on a copy of a does not.

template sqrt.f32, out d:xmm, in a:xmm
        movaps  \d, \a
        sqrtss  \d, \d
end

template sqrt.f32, out d:xmm, in a:xmm, needs avx
        {vex3}  vsqrtss \d, \a, \a
end

template sqrt.f32, out d:xmm, in a:slot32
        movss   \d, dword ptr [FRAME + \a]
        sqrtss  \d, \d
end

template sqrt.f32, out d:xmm, in a:slot8
        movss   \d, dword ptr [FRAME + \a]
        sqrtss  \d, \d
end

template sqrt.f64, out d:xmm, in a:xmm
        movaps  \d, \a
        sqrtsd  \d, \d
end

template sqrt.f64, out d:xmm, in a:xmm, needs avx
        {vex3}  vsqrtsd \d, \a, \a
end

template sqrt.f64, out d:xmm, in a:slot32
        movsd   \d, qword ptr [FRAME + \a]
        sqrtsd  \d, \d
end

template sqrt.f64, out d:xmm, in a:slot8
        movsd   \d, qword ptr [FRAME + \a]
        sqrtsd  \d, \d
end
