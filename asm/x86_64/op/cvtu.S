# cvtu d, a: between unsigned integers and floats. The type of d stands first.
#
# The machine converts signed integers only. 32 bits are converted as 64, which hold them all. An i64 with its top bit
# set is halved, converted and doubled, out of line; the bit that halving drops is kept in the lowest one, so that
# rounding sees it.
#
# To an integer: truncated; NaN and numbers out of range trap. 32 bits: what the 64-bit conversion gives must not
# change when its upper half is cleared; where it does, the number was NaN or out of range, and which of them is asked
# of a copy in FSCRATCH2, so that the distance of the jump is the same for all registers. 64 bits: a result that is
# not negative is right. The rest, out of line, is converted 2^63 lower, and the top bit is put back; numbers that
# were negative, or too large for that too, come out as MIN.

template cvtu.f32.i32, out d:xmm, in a:gp, clobber rax
        mov     eax, \a32
        xorps   \d, \d
        cvtsi2ss \d, rax
end

template cvtu.f32.i64, out d:xmm, in a:gp-rax, target cold:rel32, clobber flags
        xorps   \d, \d
        test    \a, \a
        js      \cold
        cvtsi2ss \d, \a
end

template cvtu.f32.i64/cold, out d:xmm, in a:gp-rax, target back:rel32, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \a32
        shr     rax, 1
        and     ecx, 1
        or      rax, rcx
        xorps   \d, \d
        cvtsi2ss \d, rax
        addss   \d, \d
        jmp     \back
end

template cvtu.f64.i32, out d:xmm, in a:gp, clobber rax
        mov     eax, \a32
        xorps   \d, \d
        cvtsi2sd \d, rax
end

template cvtu.f64.i64, out d:xmm, in a:gp-rax, target cold:rel32, clobber flags
        xorps   \d, \d
        test    \a, \a
        js      \cold
        cvtsi2sd \d, \a
end

template cvtu.f64.i64/cold, out d:xmm, in a:gp-rax, target back:rel32, clobber rax rcx flags
        mov     rax, \a
        mov     ecx, \a32
        shr     rax, 1
        and     ecx, 1
        or      rax, rcx
        xorps   \d, \d
        cvtsi2sd \d, rax
        addsd   \d, \d
        jmp     \back
end

template cvtu.i32.f32, out d:gp-rax, in a:xmm, clobber rax FSCRATCH2 flags
        cvttss2si rax, \a
        mov     \d32, eax
        cmp     rax, \d
        je      2f
        movaps  FSCRATCH2, \a
        ucomiss FSCRATCH2, FSCRATCH2
        jnp     1f
        trap invalid_conversion
1:
        trap integer_overflow
2:
end

template cvtu.i64.f32, out d:gp, in a:xmm-xmm13-xmm14, target cold:rel32, clobber flags
        cvttss2si \d, \a
        test    \d, \d
        js      \cold
end

template cvtu.i64.f32/cold, out d:gp, in a:xmm-xmm13-xmm14, target back:rel32, clobber rax FSCRATCH1 FSCRATCH2 flags
        ucomiss \a, \a
        jnp     1f
        trap invalid_conversion
1:
        mov     eax, 0x5f000000
        movd    FSCRATCH2, eax
        movaps  FSCRATCH1, \a
        subss   FSCRATCH1, FSCRATCH2
        cvttss2si \d, FSCRATCH1
        test    \d, \d
        jns     2f
        trap integer_overflow
2:
        btc     \d, 63
        jmp     \back
end

template cvtu.i32.f64, out d:gp-rax, in a:xmm, clobber rax FSCRATCH2 flags
        cvttsd2si rax, \a
        mov     \d32, eax
        cmp     rax, \d
        je      2f
        movaps  FSCRATCH2, \a
        ucomisd FSCRATCH2, FSCRATCH2
        jnp     1f
        trap invalid_conversion
1:
        trap integer_overflow
2:
end

template cvtu.i64.f64, out d:gp, in a:xmm-xmm13-xmm14, target cold:rel32, clobber flags
        cvttsd2si \d, \a
        test    \d, \d
        js      \cold
end

template cvtu.i64.f64/cold, out d:gp, in a:xmm-xmm13-xmm14, target back:rel32, clobber rax FSCRATCH1 FSCRATCH2 flags
        ucomisd \a, \a
        jnp     1f
        trap invalid_conversion
1:
        movabs  rax, 0x43e0000000000000
        movq    FSCRATCH2, rax
        movaps  FSCRATCH1, \a
        subsd   FSCRATCH1, FSCRATCH2
        cvttsd2si \d, FSCRATCH1
        test    \d, \d
        jns     2f
        trap integer_overflow
2:
        btc     \d, 63
        jmp     \back
end
