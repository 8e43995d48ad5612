# switch i, [L0, L1, …], LDEFAULT: continues at the label that u64(i) counts to, or at the default.
#
# `a` is i, `b` the number of cases, `l` the table: for each case four bytes, the distance of its label from the
# table's start. `t` is the default. The table cannot be written, so machines that check where indirect jumps lead need
# not check this one.

template switch, in a:gp-rax, in b:imm32, target l:lit, target t:rel32, clobber rax rdx flags
        cmp     \a, \b
        jae     \t
        lea     rax, [rip + \l]
        movsxd  rdx, dword ptr [rax + \a*4]
        add     rax, rdx
        notrack jmp rax
end
