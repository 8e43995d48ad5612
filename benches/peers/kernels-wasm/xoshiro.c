// n numbers of xoshiro256**, counted by their leading and trailing zeros: 64-bit rotations and bit counts.
#include "kernel.h"

static inline u64 rotated(u64 x, u32 by) { return x << by | x >> (64 - by); }

u64 run(u32 n) {
    u64 s0 = 1, s1 = 2, s2 = 3, s3 = 4, sum = 0;
    u32 zeros = 0;
    for (u32 i = 0; i < n; i++) {
        u64 result = rotated(s1 * 5, 7) * 9, t = s1 << 17;
        s2 ^= s0, s3 ^= s1, s1 ^= s2, s0 ^= s3, s2 ^= t;
        s3 = rotated(s3, 45);
        sum += result;
        zeros += (u32)__builtin_clzll(result | 1) + (u32)__builtin_ctzll(result | 1ull << 63);
    }
    return mix(sum, zeros);
}
