# cvtsu d, a: to unsigned integers, truncated; out of range the nearest integer there is, and 0 for NaN. The type of d
# stands first.
#
# 32 bits: the 64-bit conversion holds the result; where clearing its upper half changes it, the answer is all ones if
# a is above 0, else 0 (`seta` is 0 for NaN). 64 bits: a result that is not negative is right; the rest is converted
# 2^63 lower and the top bit put back, which turns the MIN of what does not fit into 0; that is flipped to all ones if
# a is above 2^63.

template cvtsu.i32.f32, out d:gp-rax, in a:xmm-xmm13, target cold:rel32, clobber rax flags
        cvttss2si rax, \a
        mov     \d32, eax
        cmp     rax, \d
        jne     \cold
end

template cvtsu.i32.f32/cold, out d:gp-rax, in a:xmm-xmm13, target back:rel32, clobber FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomiss \a, FSCRATCH2
        seta    \d8
        movzx   \d32, \d8
        neg     \d32
        jmp     \back
end

template cvtsu.i64.f32, out d:gp, in a:xmm-xmm13-xmm14, target cold:rel32, clobber flags
        cvttss2si \d, \a
        test    \d, \d
        js      \cold
end

template cvtsu.i64.f32/cold, out d:gp, in a:xmm-xmm13-xmm14, target back:rel32, clobber rax FSCRATCH1 FSCRATCH2 flags
        mov     eax, 0x5f000000
        movd    FSCRATCH2, eax
        movaps  FSCRATCH1, \a
        subss   FSCRATCH1, FSCRATCH2
        cvttss2si rax, FSCRATCH1
        btc     rax, 63
        jnc     1f
        ucomiss \a, FSCRATCH2
        seta    al
        movzx   eax, al
        neg     rax
1:
        mov     \d, rax
        jmp     \back
end

template cvtsu.i32.f64, out d:gp-rax, in a:xmm-xmm13, target cold:rel32, clobber rax flags
        cvttsd2si rax, \a
        mov     \d32, eax
        cmp     rax, \d
        jne     \cold
end

template cvtsu.i32.f64/cold, out d:gp-rax, in a:xmm-xmm13, target back:rel32, clobber FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomisd \a, FSCRATCH2
        seta    \d8
        movzx   \d32, \d8
        neg     \d32
        jmp     \back
end

template cvtsu.i64.f64, out d:gp, in a:xmm-xmm13-xmm14, target cold:rel32, clobber flags
        cvttsd2si \d, \a
        test    \d, \d
        js      \cold
end

template cvtsu.i64.f64/cold, out d:gp, in a:xmm-xmm13-xmm14, target back:rel32, clobber rax FSCRATCH1 FSCRATCH2 flags
        movabs  rax, 0x43e0000000000000
        movq    FSCRATCH2, rax
        movaps  FSCRATCH1, \a
        subsd   FSCRATCH1, FSCRATCH2
        cvttsd2si rax, FSCRATCH1
        btc     rax, 63
        jnc     1f
        ucomisd \a, FSCRATCH2
        seta    al
        movzx   eax, al
        neg     rax
1:
        mov     \d, rax
        jmp     \back
end
