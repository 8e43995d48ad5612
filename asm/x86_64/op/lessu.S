# lessu d, a, b: 1 if a is less than b, unsigned, else 0.
#
# d is written after the comparison, never cleared before it: it may share its register with a or b. A constant on the
# left is compared from the right, with the condition turned around.

template lessu.i32, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a32, \b32
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a32, \b
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a32, \b
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a32, dword ptr [FRAME + \b]
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:imm32, in b:gp-rax, clobber flags
        cmp     \b32, \a
        seta    \d8
        movzx   \d32, \d8
end

template lessu.i32, out d:gp, in a:imm8, in b:gp, clobber flags
        cmp     \b32, \a
        seta    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:gp, in b:gp, clobber flags
        cmp     \a, \b
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:gp-rax, in b:imm32, clobber flags
        cmp     \a, \b
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:gp, in b:imm8, clobber flags
        cmp     \a, \b
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:gp, in b:slot32, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:gp, in b:slot8, clobber flags
        cmp     \a, qword ptr [FRAME + \b]
        setb    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:imm32, in b:gp-rax, clobber flags
        cmp     \b, \a
        seta    \d8
        movzx   \d32, \d8
end

template lessu.i64, out d:gp, in a:imm8, in b:gp, clobber flags
        cmp     \b, \a
        seta    \d8
        movzx   \d32, \d8
end
