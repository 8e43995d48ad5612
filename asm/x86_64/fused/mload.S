# mload and what computes with the value that it reads: the machine reads its second source from memory by itself.
#
# A fault is that of the mload, which comes first. `a` holds u32(i), as it does for mload alone.

template mload.i32+add.i32, inout d:gp, in a:gp, in o:off32, clobber flags
        add     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+add.i32, inout d:gp, in a:gp, in o:off8, clobber flags
        add     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+sub.i32, inout d:gp, in a:gp, in o:off32, feeds b, clobber flags
        sub     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+sub.i32, inout d:gp, in a:gp, in o:off8, feeds b, clobber flags
        sub     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+mul.i32, inout d:gp, in a:gp, in o:off32, clobber flags
        imul    \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+mul.i32, inout d:gp, in a:gp, in o:off8, clobber flags
        imul    \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+and.i32, inout d:gp, in a:gp, in o:off32, clobber flags
        and     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i32+and.i32, inout d:gp, in a:gp, in o:off8, clobber flags
        and     \d32, dword ptr [MEMORY + \a + \o]
end

template mload.i64+add.i64, inout d:gp, in a:gp, in o:off32, clobber flags
        add     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+add.i64, inout d:gp, in a:gp, in o:off8, clobber flags
        add     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+sub.i64, inout d:gp, in a:gp, in o:off32, feeds b, clobber flags
        sub     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+sub.i64, inout d:gp, in a:gp, in o:off8, feeds b, clobber flags
        sub     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+mul.i64, inout d:gp, in a:gp, in o:off32, clobber flags
        imul    \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+mul.i64, inout d:gp, in a:gp, in o:off8, clobber flags
        imul    \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+and.i64, inout d:gp, in a:gp, in o:off32, clobber flags
        and     \d, qword ptr [MEMORY + \a + \o]
end

template mload.i64+and.i64, inout d:gp, in a:gp, in o:off8, clobber flags
        and     \d, qword ptr [MEMORY + \a + \o]
end

template mload.f32+add.f32, inout d:xmm, in a:gp, in o:off32, feeds b
        addss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+add.f32, inout d:xmm, in a:gp, in o:off8, feeds b
        addss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+sub.f32, inout d:xmm, in a:gp, in o:off32, feeds b
        subss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+sub.f32, inout d:xmm, in a:gp, in o:off8, feeds b
        subss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+mul.f32, inout d:xmm, in a:gp, in o:off32, feeds b
        mulss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+mul.f32, inout d:xmm, in a:gp, in o:off8, feeds b
        mulss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+div.f32, inout d:xmm, in a:gp, in o:off32, feeds b
        divss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f32+div.f32, inout d:xmm, in a:gp, in o:off8, feeds b
        divss   \d, dword ptr [MEMORY + \a + \o]
end

template mload.f64+add.f64, inout d:xmm, in a:gp, in o:off32, feeds b
        addsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+add.f64, inout d:xmm, in a:gp, in o:off8, feeds b
        addsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+sub.f64, inout d:xmm, in a:gp, in o:off32, feeds b
        subsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+sub.f64, inout d:xmm, in a:gp, in o:off8, feeds b
        subsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+mul.f64, inout d:xmm, in a:gp, in o:off32, feeds b
        mulsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+mul.f64, inout d:xmm, in a:gp, in o:off8, feeds b
        mulsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+div.f64, inout d:xmm, in a:gp, in o:off32, feeds b
        divsd   \d, qword ptr [MEMORY + \a + \o]
end

template mload.f64+div.f64, inout d:xmm, in a:gp, in o:off8, feeds b
        divsd   \d, qword ptr [MEMORY + \a + \o]
end
