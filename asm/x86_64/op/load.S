# load d, p, OFF: reads native memory at p + OFF, and widens what it finds.
#
# r12 as a base has a longer encoding than the others, so it is left out; rbp and r13 need an offset, and there is one.

template load.i32, out d:gp, in a:gp-r12, in o:off32
        mov     \d32, dword ptr [\a + \o]
end

template load.i32, out d:gp, in a:gp-r12, in o:off8
        mov     \d32, dword ptr [\a + \o]
end

template load.i64, out d:gp, in a:gp-r12, in o:off32
        mov     \d, qword ptr [\a + \o]
end

template load.i64, out d:gp, in a:gp-r12, in o:off8
        mov     \d, qword ptr [\a + \o]
end

template load.f32, out d:xmm, in a:gp-r12, in o:off32
        movss   \d, dword ptr [\a + \o]
end

template load.f32, out d:xmm, in a:gp-r12, in o:off8
        movss   \d, dword ptr [\a + \o]
end

template load.f64, out d:xmm, in a:gp-r12, in o:off32
        movsd   \d, qword ptr [\a + \o]
end

template load.f64, out d:xmm, in a:gp-r12, in o:off8
        movsd   \d, qword ptr [\a + \o]
end

template load.8s, out d:gp, in a:gp-r12, in o:off32
        movsx   \d, byte ptr [\a + \o]
end

template load.8s, out d:gp, in a:gp-r12, in o:off8
        movsx   \d, byte ptr [\a + \o]
end

template load.8u, out d:gp, in a:gp-r12, in o:off32
        movzx   \d32, byte ptr [\a + \o]
end

template load.8u, out d:gp, in a:gp-r12, in o:off8
        movzx   \d32, byte ptr [\a + \o]
end

template load.16s, out d:gp, in a:gp-r12, in o:off32
        movsx   \d, word ptr [\a + \o]
end

template load.16s, out d:gp, in a:gp-r12, in o:off8
        movsx   \d, word ptr [\a + \o]
end

template load.16u, out d:gp, in a:gp-r12, in o:off32
        movzx   \d32, word ptr [\a + \o]
end

template load.16u, out d:gp, in a:gp-r12, in o:off8
        movzx   \d32, word ptr [\a + \o]
end

template load.32s, out d:gp, in a:gp-r12, in o:off32
        movsxd  \d, dword ptr [\a + \o]
end

template load.32s, out d:gp, in a:gp-r12, in o:off8
        movsxd  \d, dword ptr [\a + \o]
end
