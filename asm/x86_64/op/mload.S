# mload d, i, OFF: reads linear memory at u32(i) + OFF, and widens what it finds.
#
# `a` holds u32(i): its upper half must be zero. Nothing is compared with the size of the memory: the sum has 33 bits,
# all that lies behind the committed pages faults, and the handler of the fault turns that into the trap.

template mload.i32, out d:gp, in a:gp, in o:off32
        mov     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32, out d:gp, in a:gp, in o:off8
        mov     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i64, out d:gp, in a:gp, in o:off32
        mov     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64, out d:gp, in a:gp, in o:off8
        mov     \d, qword ptr [MEMORY + \a + \o]
end

template mload.f32, out d:xmm, in a:gp, in o:off32
        movss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32, out d:xmm, in a:gp, in o:off8
        movss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f64, out d:xmm, in a:gp, in o:off32
        movsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64, out d:xmm, in a:gp, in o:off8
        movsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.8s, out d:gp, in a:gp, in o:off32
        movsx   \d, byte ptr [MEMORY + \a + \o]
end

template mload.8s, out d:gp, in a:gp, in o:off8
        movsx   \d, byte ptr [MEMORY + \a + \o]
end

template mload.8u, out d:gp, in a:gp, in o:off32
        movzx   \d32, byte ptr [MEMORY + \a + \o]
end

template mload.8u, out d:gp, in a:gp, in o:off8
        movzx   \d32, byte ptr [MEMORY + \a + \o]
end

template mload.16s, out d:gp, in a:gp, in o:off32
        movsx   \d, word ptr [MEMORY + \a + \o]
end

template mload.16s, out d:gp, in a:gp, in o:off8
        movsx   \d, word ptr [MEMORY + \a + \o]
end

template mload.16u, out d:gp, in a:gp, in o:off32
        movzx   \d32, word ptr [MEMORY + \a + \o]
end

template mload.16u, out d:gp, in a:gp, in o:off8
        movzx   \d32, word ptr [MEMORY + \a + \o]
end

template mload.32s, out d:gp, in a:gp, in o:off32
        movsxd  \d, dword ptr [MEMORY + \a + \o]
end

template mload.32s, out d:gp, in a:gp, in o:off8
        movsxd  \d, dword ptr [MEMORY + \a + \o]
end
