// n permutations of Keccak: 25 words of 64 bits that want to be registers.
#include "kernel.h"

static u64 state[25];

static inline u64 rotated(u64 x, u32 by) { return x << by | x >> (64 - by & 63); }

static NOINLINE void permute(void) {
    static const u8 turns[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
    static const u8 lanes[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
    u8 feedback = 1;
    for (u32 round = 0; round < 24; round++) {
        u64 columns[5];
        for (u32 i = 0; i < 5; i++)
            columns[i] = state[i] ^ state[i + 5] ^ state[i + 10] ^ state[i + 15] ^ state[i + 20];
        for (u32 i = 0; i < 5; i++) {
            u64 word = columns[(i + 4) % 5] ^ rotated(columns[(i + 1) % 5], 1);
            for (u32 j = 0; j < 25; j += 5) state[i + j] ^= word;
        }
        u64 moved = state[1];
        for (u32 i = 0; i < 24; i++) {
            u64 word = state[lanes[i]];
            state[lanes[i]] = rotated(moved, turns[i]);
            moved = word;
        }
        for (u32 j = 0; j < 25; j += 5) {
            u64 row[5];
            for (u32 i = 0; i < 5; i++) row[i] = state[j + i];
            for (u32 i = 0; i < 5; i++) state[j + i] = row[i] ^ (~row[(i + 1) % 5] & row[(i + 2) % 5]);
        }
        // The round's constant, bit by bit from its shift register.
        for (u32 j = 0; j < 7; j++) {
            if (feedback & 1) state[0] ^= 1ull << ((1u << j) - 1);
            feedback = (u8)(feedback << 1 ^ (feedback >> 7) * 0x71);
        }
    }
}

u64 run(u32 n) {
    for (u32 i = 0; i < 25; i++) state[i] = i;
    for (u32 i = 0; i < n; i++) permute();
    u64 sum = 0;
    for (u32 i = 0; i < 25; i++) sum = mix(sum, state[i]);
    return sum;
}
