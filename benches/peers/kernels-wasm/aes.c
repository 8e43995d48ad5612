// AES-128 of n bytes in counter mode, by the table of bytes: byte loads, byte stores, multiplication in GF(2^8).
#include "kernel.h"

static u8 box[256], keys[176];

static inline u8 doubled(u8 x) { return (u8)(x << 1 ^ (x >> 7) * 0x1b); }

// The box from the inverses, by way of a generator.
static void make_box(void) {
    u8 p = 1, q = 1;
    do {
        p = (u8)(p ^ doubled(p));
        q ^= (u8)(q << 1), q ^= (u8)(q << 2), q ^= (u8)(q << 4);
        if (q & 0x80) q ^= 0x09;
        u32 x = q;
        x |= x << 8;
        box[p] = (u8)(0x63 ^ x ^ x >> 7 ^ x >> 6 ^ x >> 5 ^ x >> 4);
    } while (p != 1);
    box[0] = 0x63;
}

static void make_keys(void) {
    u8 round = 1;
    for (u32 i = 0; i < 16; i++) keys[i] = (u8)(i * 17);
    for (u32 i = 16; i < 176; i += 4) {
        u8 word[4] = {keys[i - 4], keys[i - 3], keys[i - 2], keys[i - 1]};
        if (i % 16 == 0) {
            u8 first = word[0];
            word[0] = box[word[1]] ^ round, word[1] = box[word[2]], word[2] = box[word[3]], word[3] = box[first];
            round = doubled(round);
        }
        for (u32 k = 0; k < 4; k++) keys[i + k] = keys[i + k - 16] ^ word[k];
    }
}

static NOINLINE void encrypt(u8 *block) {
    u8 next[16];
    for (u32 i = 0; i < 16; i++) block[i] ^= keys[i];
    for (u32 round = 1; round <= 10; round++) {
        for (u32 i = 0; i < 16; i++) next[i] = box[block[(i + 4 * (i % 4)) % 16]];
        for (u32 column = 0; column < 16; column += 4) {
            const u8 *s = next + column;
            u8 all = s[0] ^ s[1] ^ s[2] ^ s[3];
            for (u32 k = 0; k < 4; k++) {
                u8 mixed = round == 10 ? s[k] : (u8)(s[k] ^ all ^ doubled(s[k] ^ s[(k + 1) % 4]));
                block[column + k] = mixed ^ keys[16 * round + column + k];
            }
        }
    }
}

u64 run(u32 n) {
    make_box();
    make_keys();
    // The standard's example: plain 00 11 22 … ff under key 00 01 … 0f is not this key's, so only the sum is kept.
    u64 sum = 0;
    for (u32 at = 0; at + 16 <= n; at += 16) {
        u8 block[16] = {0};
        for (u32 k = 0; k < 4; k++) block[k] = (u8)(at >> 8 * k);
        encrypt(block);
        for (u32 k = 0; k < 16; k += 4)
            sum = mix(sum, (u32)block[k] | (u32)block[k + 1] << 8 | (u32)block[k + 2] << 16 | (u32)block[k + 3] << 24);
    }
    return sum;
}
