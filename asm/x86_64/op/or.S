# or d, a, b: bitwise or.
#
# Only the 64-bit type works on a slot in place: a 32-bit write to memory would leave the upper half of the slot as it
# was, and an i32 has zeros there.

template or.i32, inout d:gp, in b:gp, clobber flags
        or      \d32, \b32
end

template or.i32, inout d:gp-rax, in b:imm32, clobber flags
        or      \d32, \b
end

template or.i32, inout d:gp, in b:imm8, clobber flags
        or      \d32, \b
end

template or.i32, inout d:gp, in b:slot32, clobber flags
        or      \d32, dword ptr [FRAME + \b]
end

template or.i32, inout d:gp, in b:slot8, clobber flags
        or      \d32, dword ptr [FRAME + \b]
end

template or.i64, inout d:gp, in b:gp, clobber flags
        or      \d, \b
end

template or.i64, inout d:gp-rax, in b:imm32, clobber flags
        or      \d, \b
end

template or.i64, inout d:gp, in b:imm8, clobber flags
        or      \d, \b
end

template or.i64, inout d:gp, in b:slot32, clobber flags
        or      \d, qword ptr [FRAME + \b]
end

template or.i64, inout d:gp, in b:slot8, clobber flags
        or      \d, qword ptr [FRAME + \b]
end

template or.i64, inout d:slot32, in b:gp, clobber flags
        or      qword ptr [FRAME + \d], \b
end

template or.i64, inout d:slot8, in b:gp, clobber flags
        or      qword ptr [FRAME + \d], \b
end

template or.i64, inout d:slot32, in b:imm32, clobber flags
        or      qword ptr [FRAME + \d], \b
end
