# sub d, a, b: the wrapped difference.
#
# Only the 64-bit type works on a slot in place: a 32-bit write to memory would leave the upper half of the slot as it
# was, and an i32 has zeros there.

template sub.i32, inout d:gp, in b:gp, clobber flags
        sub     \d32, \b32
end

template sub.i32, inout d:gp-rax, in b:imm32, clobber flags
        sub     \d32, \b
end

template sub.i32, inout d:gp, in b:imm8, clobber flags
        sub     \d32, \b
end

template sub.i32, inout d:gp, in b:slot32, clobber flags
        sub     \d32, dword ptr [FRAME + \b]
end

template sub.i32, inout d:gp, in b:slot8, clobber flags
        sub     \d32, dword ptr [FRAME + \b]
end

template sub.i64, inout d:gp, in b:gp, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp-rax, in b:imm32, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp, in b:imm8, clobber flags
        sub     \d, \b
end

template sub.i64, inout d:gp, in b:slot32, clobber flags
        sub     \d, qword ptr [FRAME + \b]
end

template sub.i64, inout d:gp, in b:slot8, clobber flags
        sub     \d, qword ptr [FRAME + \b]
end

template sub.i64, inout d:slot32, in b:gp, clobber flags
        sub     qword ptr [FRAME + \d], \b
end

template sub.i64, inout d:slot8, in b:gp, clobber flags
        sub     qword ptr [FRAME + \d], \b
end

template sub.i64, inout d:slot32, in b:imm32, clobber flags
        sub     qword ptr [FRAME + \d], \b
end
