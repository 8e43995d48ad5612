# popcnt d, a: how many bits are set.
#
# Without POPCNT the bits are summed side by side: in pairs (x - ((x >> 1) & 0x55…) counts the bits of each pair), in
# fours, in bytes; the multiplication by 0x01… then adds all bytes into the highest.

template popcnt.i32, out d:gp, in a:gp, clobber flags, needs popcnt
        popcnt  \d32, \a32
end

template popcnt.i32, out d:gp, in a:gp, clobber rax rdx flags
        mov     edx, \a32
        mov     eax, edx
        shr     eax, 1
        and     eax, 0x55555555
        sub     edx, eax
        mov     eax, edx
        and     edx, 0x33333333
        shr     eax, 2
        and     eax, 0x33333333
        add     eax, edx
        mov     edx, eax
        shr     edx, 4
        add     eax, edx
        and     eax, 0x0f0f0f0f
        imul    eax, eax, 0x01010101
        shr     eax, 24
        mov     \d32, eax
end

template popcnt.i64, out d:gp, in a:gp, clobber flags, needs popcnt
        popcnt  \d, \a
end

template popcnt.i64, out d:gp, in a:gp, clobber rax rcx rdx flags
        mov     rdx, \a
        mov     rax, rdx
        shr     rax, 1
        movabs  rcx, 0x5555555555555555
        and     rax, rcx
        sub     rdx, rax
        movabs  rcx, 0x3333333333333333
        mov     rax, rdx
        and     rdx, rcx
        shr     rax, 2
        and     rax, rcx
        add     rax, rdx
        mov     rdx, rax
        shr     rdx, 4
        add     rax, rdx
        movabs  rcx, 0x0f0f0f0f0f0f0f0f
        and     rax, rcx
        movabs  rcx, 0x0101010101010101
        imul    rax, rcx
        shr     rax, 56
        mov     \d, rax
end
