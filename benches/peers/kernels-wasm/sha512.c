// SHA-512 of n bytes: 64-bit rotations, more values than there are registers. The constants are worked out first.
#include "kernel.h"

static u64 constants[80], state[8];
static u8 text[1 << 16];

static inline u64 rotated(u64 x, u32 by) { return x >> by | x << (64 - by); }

// 64 bits behind the point of the cube root of a prime, by bisection in 192 bits: (whole + f / 2^64)^3 <= prime.
static u64 cube_root(u32 prime) {
    u32 whole = 1;
    while ((whole + 1) * (whole + 1) * (whole + 1) <= prime) whole++;
    u64 fraction = 0;
    for (u32 bit = 64; bit-- > 0;) {
        u64 tried = fraction | 1ull << bit;
        // The cube in words of 32 bits, lowest first: x has three, x * x six, x * x * x nine.
        u32 x[3] = {(u32)tried, (u32)(tried >> 32), whole}, square[6] = {0}, cube[9] = {0};
        for (u32 i = 0; i < 3; i++) {
            u64 carry = 0;
            for (u32 j = 0; j < 3; j++) carry += (u64)x[i] * x[j] + square[i + j], square[i + j] = (u32)carry, carry >>= 32;
            square[i + 3] = (u32)carry;
        }
        for (u32 i = 0; i < 6; i++) {
            u64 carry = 0;
            for (u32 j = 0; j < 3; j++) carry += (u64)square[i] * x[j] + cube[i + j], cube[i + j] = (u32)carry, carry >>= 32;
            cube[i + 3] = (u32)carry;
        }
        if (cube[6] < prime) fraction = tried;
    }
    return fraction;
}

static NOINLINE void block(const u8 *bytes) {
    u64 w[80];
    for (u32 i = 0; i < 16; i++) {
        w[i] = 0;
        for (u32 k = 0; k < 8; k++) w[i] = w[i] << 8 | bytes[8 * i + k];
    }
    for (u32 i = 16; i < 80; i++) {
        u64 s0 = rotated(w[i - 15], 1) ^ rotated(w[i - 15], 8) ^ w[i - 15] >> 7;
        u64 s1 = rotated(w[i - 2], 19) ^ rotated(w[i - 2], 61) ^ w[i - 2] >> 6;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    u64 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (u32 i = 0; i < 80; i++) {
        u64 one = h + (rotated(e, 14) ^ rotated(e, 18) ^ rotated(e, 41)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        u64 other = (rotated(a, 28) ^ rotated(a, 34) ^ rotated(a, 39)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + other;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

u64 run(u32 n) {
    static const u64 start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                 0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    for (u32 number = 2, found = 0; !constants[79] && found < 80; number++) {
        u32 divisor = 2;
        while (divisor * divisor <= number && number % divisor) divisor++;
        if (divisor * divisor > number) constants[found++] = cube_root(number);
    }
    u32 random = 1;
    for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)next(&random);
    for (u32 i = 0; i < 8; i++) state[i] = start[i];
    for (u32 at = 0; at + 128 <= n; at += 128) block(text + at % sizeof text);
    u64 sum = mix(0, constants[0] == 0x428a2f98d728ae22);
    for (u32 i = 0; i < 8; i++) sum = mix(sum, state[i]);
    return sum;
}
