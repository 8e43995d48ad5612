# lequ fused with the branch on its result, which then needs no register: +jmpt goes to the label where it holds,
# +jmpf where it does not. A constant on the left is compared from the right, with the condition turned around.

template lequ.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jbe     \t
end

template lequ.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i32+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i32+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jbe     \t
end

template lequ.i32+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jbe     \t
end

template lequ.i32+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jae     \t
end

template lequ.i32+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jae     \t
end

template lequ.i32+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jae     \t
end

template lequ.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        ja      \t
end

template lequ.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        ja      \t
end

template lequ.i32+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        ja      \t
end

template lequ.i32+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        ja      \t
end

template lequ.i32+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        ja      \t
end

template lequ.i32+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jb      \t
end

template lequ.i32+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jb      \t
end

template lequ.i32+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jb      \t
end

template lequ.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jbe     \t
end

template lequ.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i64+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jbe     \t
end

template lequ.i64+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jbe     \t
end

template lequ.i64+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jbe     \t
end

template lequ.i64+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jae     \t
end

template lequ.i64+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jae     \t
end

template lequ.i64+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jae     \t
end

template lequ.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        ja      \t
end

template lequ.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        ja      \t
end

template lequ.i64+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        ja      \t
end

template lequ.i64+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        ja      \t
end

template lequ.i64+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        ja      \t
end

template lequ.i64+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jb      \t
end

template lequ.i64+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jb      \t
end

template lequ.i64+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jb      \t
end
