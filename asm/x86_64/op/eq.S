# eq d, a, b: 1 if a and b are equal, else 0.
#
# d is written after the comparison, never cleared before it: it may share its register with a or b.
#
# Floats: `cmpeqsd` gives a mask of ones or zeros and knows about NaN, which `ucomisd` reports in a flag of its own.

template eq.i32, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a32, \b32
        sete    \d8
        movzx   \d32, \d8
end

template eq.i32, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a32, \b
        sete    \d8
        movzx   \d32, \d8
end

template eq.i32, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a32, \b
        sete    \d8
        movzx   \d32, \d8
end

template eq.i32, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        sete    \d8
        movzx   \d32, \d8
end

template eq.i32, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        sete    \d8
        movzx   \d32, \d8
end

template eq.i64, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a, \b
        sete    \d8
        movzx   \d32, \d8
end

template eq.i64, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a, \b
        sete    \d8
        movzx   \d32, \d8
end

template eq.i64, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a, \b
        sete    \d8
        movzx   \d32, \d8
end

template eq.i64, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        sete    \d8
        movzx   \d32, \d8
end

template eq.i64, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        sete    \d8
        movzx   \d32, \d8
end

# Floats.
template eq.f32, out d:gp, in a:xmm, in b:xmm-xmm13, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqss FSCRATCH2, \b
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f32, out d:gp, in a:xmm, in b:slot32, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqss FSCRATCH2, dword ptr [FRAME + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f32, out d:gp, in a:xmm, in b:slot8, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqss FSCRATCH2, dword ptr [FRAME + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f32, out d:gp, in a:xmm, in b:lit, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqss FSCRATCH2, dword ptr [rip + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f64, out d:gp, in a:xmm, in b:xmm-xmm13, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqsd FSCRATCH2, \b
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f64, out d:gp, in a:xmm, in b:slot32, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqsd FSCRATCH2, qword ptr [FRAME + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f64, out d:gp, in a:xmm, in b:slot8, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqsd FSCRATCH2, qword ptr [FRAME + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end

template eq.f64, out d:gp, in a:xmm, in b:lit, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \a
        cmpeqsd FSCRATCH2, qword ptr [rip + \b]
        movd    \d32, FSCRATCH2
        and     \d32, 1
end
