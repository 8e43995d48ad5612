// Loops over bytes as C programs write them: copy, reverse, compare, count, n times over 16 KiB.
#include "kernel.h"

#define SIZE (1 << 14)
static u8 one[SIZE], other[SIZE];

static NOINLINE void copy(volatile u8 *to, const u8 *from, u32 count) {
    while (count--) *to++ = *from++;
}

static NOINLINE void reverse(u8 *from, u8 *to) {
    while (from < to) {
        u8 byte = *from;
        *from++ = *--to;
        *to = byte;
    }
}

static NOINLINE u32 equal(const u8 *a, const u8 *b, u32 count) {
    u32 at = 0;
    while (at < count && a[at] == b[at]) at++;
    return at;
}

static NOINLINE u32 vowels(const u8 *at, const u8 *end) {
    u32 found = 0;
    for (; at < end; at++) {
        u8 byte = *at | 32;
        if (byte == 'a' || byte == 'e' || byte == 'i' || byte == 'o' || byte == 'u') found++;
    }
    return found;
}

u64 run(u32 n) {
    u32 random = 1;
    u64 sum = 0;
    for (u32 i = 0; i < SIZE; i++) one[i] = (u8)('a' + next(&random) % 26);
    for (u32 round = 0; round < n; round++) {
        copy(other, one, SIZE);
        other[SIZE - 1 - round % 64] ^= 1;
        sum = mix(sum, equal(one, other, SIZE));
        reverse(one, one + SIZE);
        one[round % SIZE] = (u8)('a' + round % 26);
        sum = mix(sum, vowels(one, one + SIZE));
    }
    return sum;
}
