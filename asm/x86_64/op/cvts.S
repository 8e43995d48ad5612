# cvts d, a: to signed integers, truncated; out of range the nearest integer there is, and 0 for NaN. The type of d
# stands first.
#
# The conversion gives MIN where the result does not fit, and `cmp d, 1` overflows for MIN alone; the rest is done out
# of line. There: MIN, or MAX = MIN - 1 where a is above 0, which the comparison leaves in the carry flag.

template cvts.i32.f32, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttss2si \d32, \a
        cmp     \d32, 1
        jo      \cold
end

template cvts.i32.f32/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomiss FSCRATCH2, \a
        mov     eax, 0
        jp      1f
        mov     eax, 0x80000000
        sbb     eax, 0
1:
        mov     \d32, eax
        jmp     \back
end

template cvts.i64.f32, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttss2si \d, \a
        cmp     \d, 1
        jo      \cold
end

template cvts.i64.f32/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomiss FSCRATCH2, \a
        mov     eax, 0
        jp      1f
        movabs  rax, 0x8000000000000000
        sbb     rax, 0
1:
        mov     \d, rax
        jmp     \back
end

template cvts.i32.f64, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttsd2si \d32, \a
        cmp     \d32, 1
        jo      \cold
end

template cvts.i32.f64/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomisd FSCRATCH2, \a
        mov     eax, 0
        jp      1f
        mov     eax, 0x80000000
        sbb     eax, 0
1:
        mov     \d32, eax
        jmp     \back
end

template cvts.i64.f64, out d:gp, in a:xmm-xmm13, target cold:rel32, clobber flags
        cvttsd2si \d, \a
        cmp     \d, 1
        jo      \cold
end

template cvts.i64.f64/cold, out d:gp, in a:xmm-xmm13, target back:rel32, clobber rax FSCRATCH2 flags
        xorps   FSCRATCH2, FSCRATCH2
        ucomisd FSCRATCH2, \a
        mov     eax, 0
        jp      1f
        movabs  rax, 0x8000000000000000
        sbb     rax, 0
1:
        mov     \d, rax
        jmp     \back
end
