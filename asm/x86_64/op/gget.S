# gget d, NAME: reads the global whose cell is `t`.
#
# A cell has 8 bytes; an i32 stands there zero-extended.

template gget.i32, out d:gp, target t:data
        mov     \d32, dword ptr [rip + \t]
end

template gget.i64, out d:gp, target t:data
        mov     \d, qword ptr [rip + \t]
end

template gget.f32, out d:xmm, target t:data
        movss   \d, dword ptr [rip + \t]
end

template gget.f64, out d:xmm, target t:data
        movsd   \d, qword ptr [rip + \t]
end
