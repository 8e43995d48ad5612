# select d, c, a, b: a where the int c is not 0, else b. a comes in d.
#
# Ints are chosen without a branch. So are floats with AVX: c == 0 becomes a mask of ones that lets b through. Without
# it they take a branch around a copy in FSCRATCH2, which makes the distance of the jump the same for all registers.

template select.i64, inout d:gp, in c:gp, in b:gp, clobber flags
        test    \c, \c
        cmovz   \d, \b
end

template select.i64, inout d:gp, in c:gp, in b:slot32, clobber flags
        test    \c, \c
        cmovz   \d, qword ptr [FRAME + \b]
end

template select.i64, inout d:gp, in c:gp, in b:slot8, clobber flags
        test    \c, \c
        cmovz   \d, qword ptr [FRAME + \b]
end

template select.f32, inout d:xmm-xmm13, in c:gp, in b:xmm-xmm13, clobber rax FSCRATCH2 flags, needs avx
        cmp     \c, 1
        sbb     rax, rax
        movq    FSCRATCH2, rax
        vblendvps \d, \d, \b, FSCRATCH2
end

template select.f32, inout d:xmm-xmm13, in c:gp, in b:xmm, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \b
        test    \c, \c
        jz      1f
        movaps  FSCRATCH2, \d
1:
        movaps  \d, FSCRATCH2
end

template select.f64, inout d:xmm-xmm13, in c:gp, in b:xmm-xmm13, clobber rax FSCRATCH2 flags, needs avx
        cmp     \c, 1
        sbb     rax, rax
        movq    FSCRATCH2, rax
        vblendvpd \d, \d, \b, FSCRATCH2
end

template select.f64, inout d:xmm-xmm13, in c:gp, in b:xmm, clobber FSCRATCH2 flags
        movaps  FSCRATCH2, \b
        test    \c, \c
        jz      1f
        movaps  FSCRATCH2, \d
1:
        movaps  \d, FSCRATCH2
end
