// n blocks of ChaCha20: sixteen 32-bit values all in use at once.
#include "kernel.h"

static inline u32 rotated(u32 x, u32 by) { return x << by | x >> (32 - by); }

#define QUARTER(a, b, c, d)                                  \
    a += b, d = rotated(d ^ a, 16), c += d, b = rotated(b ^ c, 12), \
    a += b, d = rotated(d ^ a, 8), c += d, b = rotated(b ^ c, 7)

static u32 input[16], output[16];

static NOINLINE void block(void) {
    u32 x0 = input[0], x1 = input[1], x2 = input[2], x3 = input[3], x4 = input[4], x5 = input[5], x6 = input[6],
        x7 = input[7], x8 = input[8], x9 = input[9], x10 = input[10], x11 = input[11], x12 = input[12], x13 = input[13],
        x14 = input[14], x15 = input[15];
    for (u32 i = 0; i < 10; i++) {
        QUARTER(x0, x4, x8, x12);
        QUARTER(x1, x5, x9, x13);
        QUARTER(x2, x6, x10, x14);
        QUARTER(x3, x7, x11, x15);
        QUARTER(x0, x5, x10, x15);
        QUARTER(x1, x6, x11, x12);
        QUARTER(x2, x7, x8, x13);
        QUARTER(x3, x4, x9, x14);
    }
    output[0] = x0, output[1] = x1, output[2] = x2, output[3] = x3, output[4] = x4, output[5] = x5, output[6] = x6;
    output[7] = x7, output[8] = x8, output[9] = x9, output[10] = x10, output[11] = x11, output[12] = x12;
    output[13] = x13, output[14] = x14, output[15] = x15;
    for (u32 i = 0; i < 16; i++) output[i] += input[i];
}

u64 run(u32 n) {
    for (u32 i = 0; i < 16; i++) input[i] = 0x61707865 * (i + 1);
    u64 sum = 0;
    for (u32 i = 0; i < n; i++) {
        input[12] = i;
        block();
        sum = mix(sum, (u64)output[i % 16] << 32 | output[15]);
    }
    return sum;
}
