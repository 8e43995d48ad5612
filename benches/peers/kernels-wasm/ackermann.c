// Ackermann's function of 3 and n: recursion some 2 to the power of n deep.
#include "kernel.h"

static NOINLINE u32 ackermann(u32 m, u32 n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

u64 run(u32 n) { return ackermann(3, n); }
