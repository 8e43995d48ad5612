# lessu fused with the branch on its result, which then needs no register: +jmpt goes to the label where it holds,
# +jmpf where it does not. A constant on the left is compared from the right, with the condition turned around.

template lessu.i32+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jb      \t
end

template lessu.i32+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jb      \t
end

template lessu.i32+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jb      \t
end

template lessu.i32+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jb      \t
end

template lessu.i32+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jb      \t
end

template lessu.i32+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        ja      \t
end

template lessu.i32+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        ja      \t
end

template lessu.i32+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        ja      \t
end

template lessu.i32+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a32, \b32
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a32, \b32
        jae     \t
end

template lessu.i32+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a32, \b
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a32, \b
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a32, \b
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jae     \t
end

template lessu.i32+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        jae     \t
end

template lessu.i32+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b32
        jae     \t
end

template lessu.i32+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     dword ptr [FRAME + \a], \b
        jae     \t
end

template lessu.i32+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b32, \a
        jbe     \t
end

template lessu.i32+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b32, \a
        jbe     \t
end

template lessu.i32+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b32, \a
        jbe     \t
end

template lessu.i64+jmpt, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jb      \t
end

template lessu.i64+jmpt, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jb      \t
end

template lessu.i64+jmpt, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jb      \t
end

template lessu.i64+jmpt, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jb      \t
end

template lessu.i64+jmpt, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jb      \t
end

template lessu.i64+jmpt, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        ja      \t
end

template lessu.i64+jmpt, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        ja      \t
end

template lessu.i64+jmpt, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        ja      \t
end

template lessu.i64+jmpf, in a:gp, in b:gp, target t:rel32, clobber flags
        cmp     \a, \b
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:gp, target t:rel8, clobber flags
        cmp     \a, \b
        jae     \t
end

template lessu.i64+jmpf, in a:gp-rax, in b:imm32, target t:rel32, clobber flags
        cmp     \a, \b
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:imm8, target t:rel32, clobber flags
        cmp     \a, \b
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:imm8, target t:rel8, clobber flags
        cmp     \a, \b
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:slot32, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:slot8, target t:rel32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jae     \t
end

template lessu.i64+jmpf, in a:gp, in b:slot8, target t:rel8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        jae     \t
end

template lessu.i64+jmpf, in a:slot32, in b:gp, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jae     \t
end

template lessu.i64+jmpf, in a:slot32, in b:imm32, target t:rel32, clobber flags
        cmp     qword ptr [FRAME + \a], \b
        jae     \t
end

template lessu.i64+jmpf, in a:imm32, in b:gp-rax, target t:rel32, clobber flags
        cmp     \b, \a
        jbe     \t
end

template lessu.i64+jmpf, in a:imm8, in b:gp, target t:rel32, clobber flags
        cmp     \b, \a
        jbe     \t
end

template lessu.i64+jmpf, in a:imm8, in b:gp, target t:rel8, clobber flags
        cmp     \b, \a
        jbe     \t
end
