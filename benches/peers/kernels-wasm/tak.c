// Takeuchi's function of n, 2 n / 3 and n / 3: calls with three arguments.
#include "kernel.h"

static NOINLINE i32 tak(i32 x, i32 y, i32 z) {
    if (y >= x) return z;
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

u64 run(u32 n) { return (u32)tak((i32)n, (i32)n * 2 / 3, (i32)n / 3); }
