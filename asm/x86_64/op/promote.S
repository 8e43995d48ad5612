# promote d, a: f32 to f64, exactly; NaN keeps its payload and becomes quiet.
#
# Converting a copy does not wait for whoever wrote d last, whose upper half the conversion keeps.

template promote, out d:xmm, in a:xmm
        movaps  \d, \a
        cvtss2sd \d, \d
end

template promote, out d:xmm, in a:slot32
        movss   \d, dword ptr [FRAME + \a]
        cvtss2sd \d, \d
end

template promote, out d:xmm, in a:slot8
        movss   \d, dword ptr [FRAME + \a]
        cvtss2sd \d, \d
end
