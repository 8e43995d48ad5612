// Blocks filled, moved and shifted within themselves, n times: memory.fill and memory.copy, short and long.
#include "kernel.h"

#define SIZE (1 << 15)
static u8 block[2 * SIZE];

u64 run(u32 n) {
    u32 random = 1;
    u64 sum = 0;
    for (u32 i = 0; i < sizeof block; i++) block[i] = (u8)next(&random);
    for (u32 round = 0; round < n; round++) {
        u32 at = next(&random) % SIZE, count = next(&random) % (round % 16 ? 64 : SIZE);
        __builtin_memset(block + at, (int)round, count / 4);
        __builtin_memmove(block + SIZE - at, block + SIZE / 2, count);
        __builtin_memmove(block + at / 2 + 1, block + at / 2, count);
        sum = mix(sum, block[at + round % 64]);
    }
    for (u32 i = 0; i < sizeof block; i++) sum = mix(sum, block[i]);
    return sum;
}
