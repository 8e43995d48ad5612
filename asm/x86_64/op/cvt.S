# cvt d, a: between signed integers and floats. The type of d stands first.
#
# To a float: rounded to nearest even. d is cleared first, because the conversion keeps its upper half and would wait
# for whoever wrote d last.
#
# To an integer: truncated; NaN and numbers out of range trap. The conversion gives MIN where the result does not fit,
# and `cmp d, 1` overflows for MIN alone; so two instructions let everything else pass. The rest, MIN itself included,
# is sorted out of line: the 32-bit one by converting to 64 bits, the 64-bit one by comparing with MIN, the only
# number it can be.

template cvt.f32.i32, out d:xmm, in a:gp
        xorps   \d, \d
        cvtsi2ss \d, \a32
end

template cvt.f32.i32, out d:xmm, in a:slot32
        xorps   \d, \d
        cvtsi2ss \d, dword ptr [FRAME + \a]
end

template cvt.f32.i32, out d:xmm, in a:slot8
        xorps   \d, \d
        cvtsi2ss \d, dword ptr [FRAME + \a]
end

template cvt.f32.i64, out d:xmm, in a:gp
        xorps   \d, \d
        cvtsi2ss \d, \a
end

template cvt.f32.i64, out d:xmm, in a:slot32
        xorps   \d, \d
        cvtsi2ss \d, qword ptr [FRAME + \a]
end

template cvt.f32.i64, out d:xmm, in a:slot8
        xorps   \d, \d
        cvtsi2ss \d, qword ptr [FRAME + \a]
end

template cvt.f64.i32, out d:xmm, in a:gp
        xorps   \d, \d
        cvtsi2sd \d, \a32
end

template cvt.f64.i32, out d:xmm, in a:slot32
        xorps   \d, \d
        cvtsi2sd \d, dword ptr [FRAME + \a]
end

template cvt.f64.i32, out d:xmm, in a:slot8
        xorps   \d, \d
        cvtsi2sd \d, dword ptr [FRAME + \a]
end

template cvt.f64.i64, out d:xmm, in a:gp
        xorps   \d, \d
        cvtsi2sd \d, \a
end

template cvt.f64.i64, out d:xmm, in a:slot32
        xorps   \d, \d
        cvtsi2sd \d, qword ptr [FRAME + \a]
end

template cvt.f64.i64, out d:xmm, in a:slot8
        xorps   \d, \d
        cvtsi2sd \d, qword ptr [FRAME + \a]
end

template cvt.i32.f32, out d:gp-rax, in a:xmm, target cold:rel32, clobber flags
        cvttss2si \d32, \a
        cmp     \d32, 1
        jo      \cold
end

template cvt.i32.f32/cold, out d:gp-rax, in a:xmm, target back:rel32, clobber rax flags
        ucomiss \a, \a
        jnp     1f
        trap invalid_conversion
1:
        cvttss2si \d, \a
        movsxd  rax, \d32
        cmp     rax, \d
        je      2f
        trap integer_overflow
2:
        mov     \d32, \d32
        jmp     \back
end

template cvt.i64.f32, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttss2si \d, \a
        cmp     \d, 1
        jo      \cold
end

template cvt.i64.f32/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        ucomiss \a, \a
        jnp     1f
        trap invalid_conversion
1:
        mov     eax, 0xdf000000
        movd    FSCRATCH2, eax
        ucomiss \a, FSCRATCH2
        je      2f
        trap integer_overflow
2:
        cvttss2si \d, \a
        jmp     \back
end

template cvt.i32.f64, out d:gp-rax, in a:xmm, target cold:rel32, clobber flags
        cvttsd2si \d32, \a
        cmp     \d32, 1
        jo      \cold
end

template cvt.i32.f64/cold, out d:gp-rax, in a:xmm, target back:rel32, clobber rax flags
        ucomisd \a, \a
        jnp     1f
        trap invalid_conversion
1:
        cvttsd2si \d, \a
        movsxd  rax, \d32
        cmp     rax, \d
        je      2f
        trap integer_overflow
2:
        mov     \d32, \d32
        jmp     \back
end

template cvt.i64.f64, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttsd2si \d, \a
        cmp     \d, 1
        jo      \cold
end

template cvt.i64.f64/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        ucomisd \a, \a
        jnp     1f
        trap invalid_conversion
1:
        movabs  rax, 0xc3e0000000000000
        movq    FSCRATCH2, rax
        ucomisd \a, FSCRATCH2
        je      2f
        trap integer_overflow
2:
        cvttsd2si \d, \a
        jmp     \back
end
