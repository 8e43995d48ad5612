# mstore s, i, OFF: writes the low bits of s to linear memory at u32(i) + OFF. The value is operand `b`, the index
# `a`.
#
# `a` holds u32(i): its upper half must be zero. The pages behind the end of the memory fault, as with `mload`. A
# constant is sign-extended from 32 bits; one byte is stored as one byte, and 16 bits have no such form.

template mstore.i32, in b:gp, in a:gp, in o:off32
        mov     dword ptr [MEMORY + \a + \o], \b32
end

template mstore.i32, in b:gp, in a:gp, in o:off8
        mov     dword ptr [MEMORY + \a + \o], \b32
end

template mstore.i32, in b:imm32, in a:gp, in o:off32
        mov     dword ptr [MEMORY + \a + \o], \b
end

template mstore.i64, in b:gp, in a:gp, in o:off32
        mov     qword ptr [MEMORY + \a + \o], \b
end

template mstore.i64, in b:gp, in a:gp, in o:off8
        mov     qword ptr [MEMORY + \a + \o], \b
end

template mstore.i64, in b:imm32, in a:gp, in o:off32
        mov     qword ptr [MEMORY + \a + \o], \b
end

template mstore.f32, in b:xmm, in a:gp, in o:off32
        movss   dword ptr [MEMORY + \a + \o], \b
end

template mstore.f32, in b:xmm, in a:gp, in o:off8
        movss   dword ptr [MEMORY + \a + \o], \b
end

template mstore.f64, in b:xmm, in a:gp, in o:off32
        movsd   qword ptr [MEMORY + \a + \o], \b
end

template mstore.f64, in b:xmm, in a:gp, in o:off8
        movsd   qword ptr [MEMORY + \a + \o], \b
end

template mstore.8, in b:gp, in a:gp, in o:off32
        mov     byte ptr [MEMORY + \a + \o], \b8
end

template mstore.8, in b:gp, in a:gp, in o:off8
        mov     byte ptr [MEMORY + \a + \o], \b8
end

template mstore.8, in b:imm8, in a:gp, in o:off32
        mov     byte ptr [MEMORY + \a + \o], \b
end

template mstore.16, in b:gp, in a:gp, in o:off32
        mov     word ptr [MEMORY + \a + \o], \b16
end

template mstore.16, in b:gp, in a:gp, in o:off8
        mov     word ptr [MEMORY + \a + \o], \b16
end
