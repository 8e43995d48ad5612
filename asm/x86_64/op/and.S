# and d, a, b: bitwise and.
#
# Only the 64-bit type works on a slot in place: a 32-bit write to memory would leave the upper half of the slot as it
# was, and an i32 has zeros there.

template and.i32, inout d:gp, in b:gp, clobber flags
        and     \d32, \b32
end

template and.i32, inout d:gp-rax, in b:imm32, clobber flags
        and     \d32, \b
end

template and.i32, inout d:gp, in b:imm8, clobber flags
        and     \d32, \b
end

template and.i32, inout d:gp, in b:slot32, clobber flags
        and     \d32, dword ptr [FRAME + \b]
end

template and.i32, inout d:gp, in b:slot8, clobber flags
        and     \d32, dword ptr [FRAME + \b]
end

template and.i64, inout d:gp, in b:gp, clobber flags
        and     \d, \b
end

template and.i64, inout d:gp-rax, in b:imm32, clobber flags
        and     \d, \b
end

template and.i64, inout d:gp, in b:imm8, clobber flags
        and     \d, \b
end

template and.i64, inout d:gp, in b:slot32, clobber flags
        and     \d, qword ptr [FRAME + \b]
end

template and.i64, inout d:gp, in b:slot8, clobber flags
        and     \d, qword ptr [FRAME + \b]
end

template and.i64, inout d:slot32, in b:gp, clobber flags
        and     qword ptr [FRAME + \d], \b
end

template and.i64, inout d:slot8, in b:gp, clobber flags
        and     qword ptr [FRAME + \d], \b
end

template and.i64, inout d:slot32, in b:imm32, clobber flags
        and     qword ptr [FRAME + \d], \b
end
