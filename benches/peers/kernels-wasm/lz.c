// Text packed by matches of its last 64 KiB and unpacked again, n times.
#include "kernel.h"

#define SIZE (1 << 16)
static u8 text[SIZE], packed[2 * SIZE], unpacked[SIZE];
static u32 heads[1 << 12];

static inline u32 three(const u8 *at) { return (u32)at[0] | (u32)at[1] << 8 | (u32)at[2] << 16; }

// A flag byte for eight items: a letter, or a distance of two bytes and a length.
static NOINLINE u32 pack(void) {
    for (u32 i = 0; i < sizeof heads / sizeof *heads; i++) heads[i] = SIZE;
    u32 at = 0, out = 0, flags = 0, items = 0;
    while (at < SIZE) {
        if (items % 8 == 0) flags = out++, packed[flags] = 0;
        u32 length = 0, before = SIZE;
        if (at + 3 <= SIZE) {
            u32 *head = &heads[three(text + at) * 2654435761u >> 20];
            before = *head;
            *head = at;
        }
        if (before < at)
            while (at + length < SIZE && length < 258 && text[before + length] == text[at + length]) length++;
        if (length >= 4) {
            packed[flags] |= (u8)(1 << items % 8);
            u32 distance = at - before;
            packed[out++] = (u8)distance, packed[out++] = (u8)(distance >> 8), packed[out++] = (u8)(length - 4);
            at += length;
        } else {
            packed[out++] = text[at++];
        }
        items++;
    }
    return out;
}

static NOINLINE u32 unpack(u32 size) {
    u32 at = 0, in = 0, flags = 0;
    for (u32 items = 0; in < size; items++) {
        if (items % 8 == 0) flags = packed[in++];
        if (flags >> items % 8 & 1) {
            u32 distance = (u32)packed[in] | (u32)packed[in + 1] << 8, length = (u32)packed[in + 2] + 4;
            in += 3;
            for (u32 i = 0; i < length; i++, at++) unpacked[at] = unpacked[at - distance];
        } else {
            unpacked[at++] = packed[in++];
        }
    }
    return at;
}

u64 run(u32 n) {
    static const char words[8][8] = {"the ", "snippet", "of ", "code ", "is ", "copied ", "and ", "patched"};
    u32 random = 1;
    u64 sum = 0;
    for (u32 i = 0; i < SIZE;) {
        u32 number = next(&random);
        const char *word = words[number % 8];
        for (u32 k = 0; k < 8 && word[k] && i < SIZE; k++) text[i++] = (u8)word[k];
        if (number >> 30 == 0 && i < SIZE) text[i++] = (u8)(number >> 8);
    }
    for (u32 round = 0; round < n; round++) {
        text[round * 61 % SIZE] ^= 5;
        u32 size = pack();
        sum = mix(sum, size);
        sum = mix(sum, unpack(size));
        for (u32 i = 0; i < SIZE; i++)
            if (unpacked[i] != text[i]) return 0;
    }
    return sum;
}
