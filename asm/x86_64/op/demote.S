# demote d, a: f64 to f32, rounded to nearest even; NaN keeps the upper bits of its payload and becomes quiet.
#
# Converting a copy does not wait for whoever wrote d last, whose upper half the conversion keeps.

template demote, out d:xmm, in a:xmm
        movaps  \d, \a
        cvtsd2ss \d, \d
end

template demote, out d:xmm, in a:slot32
        movsd   \d, qword ptr [FRAME + \a]
        cvtsd2ss \d, \d
end

template demote, out d:xmm, in a:slot8
        movsd   \d, qword ptr [FRAME + \a]
        cvtsd2ss \d, \d
end
