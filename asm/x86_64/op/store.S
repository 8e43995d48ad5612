# store s, p, OFF: writes the low bits of s to native memory at p + OFF.
#
# r12 as a base has a longer encoding than the others, so it is left out; rbp and r13 need an offset, and there is one.

template store.i32, in b:gp, in a:gp-r12, in o:off32
        mov     dword ptr [\a + \o], \b32
end

template store.i32, in b:gp, in a:gp-r12, in o:off8
        mov     dword ptr [\a + \o], \b32
end

template store.i32, in b:imm32, in a:gp-r12, in o:off32
        mov     dword ptr [\a + \o], \b
end

template store.i64, in b:gp, in a:gp-r12, in o:off32
        mov     qword ptr [\a + \o], \b
end

template store.i64, in b:gp, in a:gp-r12, in o:off8
        mov     qword ptr [\a + \o], \b
end

template store.i64, in b:imm32, in a:gp-r12, in o:off32
        mov     qword ptr [\a + \o], \b
end

template store.f32, in b:xmm, in a:gp-r12, in o:off32
        movss   dword ptr [\a + \o], \b
end

template store.f32, in b:xmm, in a:gp-r12, in o:off8
        movss   dword ptr [\a + \o], \b
end

template store.f64, in b:xmm, in a:gp-r12, in o:off32
        movsd   qword ptr [\a + \o], \b
end

template store.f64, in b:xmm, in a:gp-r12, in o:off8
        movsd   qword ptr [\a + \o], \b
end

template store.8, in b:gp, in a:gp-r12, in o:off32
        mov     byte ptr [\a + \o], \b8
end

template store.8, in b:gp, in a:gp-r12, in o:off8
        mov     byte ptr [\a + \o], \b8
end

template store.8, in b:imm8, in a:gp-r12, in o:off32
        mov     byte ptr [\a + \o], \b
end

template store.16, in b:gp, in a:gp-r12, in o:off32
        mov     word ptr [\a + \o], \b16
end

template store.16, in b:gp, in a:gp-r12, in o:off8
        mov     word ptr [\a + \o], \b16
end
