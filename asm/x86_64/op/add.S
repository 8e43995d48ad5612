# add d, a, b
template add.i64, out d:gp, in a:gp-rbp-r13, in b:gp
        lea     \d, [\a + \b]
end
template add.i64, inout d:gp, in b:gp, clobber flags
        add     \d, \b
end
template add.i64, inout d:gp-rax, in b:imm32, clobber flags
        add     \d, \b
end
template add.i64, inout d:gp, in b:imm8, clobber flags
        add     \d, \b
end
template add.i32, inout d:gp, in b:gp, clobber flags
        add     \d32, \b32
end
template add.i64, inout d:gp, in b:slot32, clobber flags
        add     \d, [FRAME + \b]
end
template add.i64, inout d:gp, in b:slot8, clobber flags
        add     \d, [FRAME + \b]
end
template add.f64, inout d:xmm, in b:xmm
        addsd   \d, \b
end
template jmp, target t:rel8
        jmp     \t
end
template less.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jl      \t
end
template div.i64, out d:gp, in a:gp, in b:gp, clobber rax rdx flags
        mov     rax, \a
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end
