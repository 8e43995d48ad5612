# Opcodes with all that a contract can ask for; the tests say in Rust what they mean.

opcode muladd.i64(i64, i64, i64) -> i64
opcode mulhi.i64(i64, i64) -> i64
opcode shladd.i32(i32, i32) -> i32
opcode mix.f64(f64, i64) -> f64
opcode weigh.f64(f64, f64, i32) -> f64
opcode over.i32(f32, f32) -> i32
opcode quot.i64(i64, i64) -> i64
opcode answer.i64() -> i64
opcode put.i64(i64, i64)
opcode swap.i64(i64) -> i64

# The result over the first source, and written before the others are read.
template muladd.i64, inout d:gp, in b:gp, in c:gp, clobber flags
        imul    \d, \b
        add     \d, \c
end

# Fixed registers.
template mulhi.i64, out d:gp, in a:gp, in b:gp-rax, clobber rax rdx flags
        mov     rax, \a
        mul     \b
        mov     \d, rdx
end

# The same in another form, for better machines.
template mulhi.i64, inout d:gp-rdx, in b:gp-rdx, clobber rdx, needs bmi2
        mov     rdx, \d
        mulx    \d, rdx, \b
end

# A result that is written early, and a scratch register that no operand may be in.
template shladd.i32, early d:gp-rcx, in a:gp-rcx, in b:gp, clobber rcx flags
        mov     ecx, \b32
        mov     \d32, \a32
        shl     \d32, cl
        add     \d32, \a32
end

# Both kinds of registers, and a result of the second kind.
template mix.f64, inout d:xmm-xmm15, in b:gp, clobber xmm15
        xorps   xmm15, xmm15
        cvtsi2sd xmm15, \b
        addsd   \d, xmm15
end

template weigh.f64, inout d:xmm-xmm15, in b:xmm-xmm15, in c:gp, clobber xmm15
        xorps   xmm15, xmm15
        cvtsi2sd xmm15, \c32
        mulsd   xmm15, \b
        addsd   \d, xmm15
end

template over.i32, out d:gp, in a:xmm, in b:xmm, clobber rax flags
        xor     eax, eax
        comiss  \a, \b
        seta    al
        mov     \d32, eax
end

# It traps.
template quot.i64, out d:gp, in a:gp, in b:gp-rax-rdx, clobber rax rdx flags
        mov     rax, \a
        cqo
        fault divide \b
        idiv    \b
        mov     \d, rax
end

# No source, no result, one of each.
template answer.i64, out d:gp
        mov     \d32, 42
end

template put.i64, in a:gp-r12, in b:gp
        {disp8} mov qword ptr [\a], \b
end

template swap.i64, inout d:gp
        bswap   \d
end
