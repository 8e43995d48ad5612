// A needle in a haystack: once letter by letter, once by Horspool's table, n times.
#include "kernel.h"

#define HAY (1 << 15)
static u8 hay[HAY];
static u32 skip[256];

static NOINLINE u32 plainly(const u8 *needle, u32 length) {
    u32 found = 0;
    for (u32 at = 0; at + length <= HAY; at++) {
        u32 same = 0;
        while (same < length && hay[at + same] == needle[same]) same++;
        if (same == length) found++;
    }
    return found;
}

static NOINLINE u32 horspool(const u8 *needle, u32 length) {
    for (u32 i = 0; i < 256; i++) skip[i] = length;
    for (u32 i = 0; i + 1 < length; i++) skip[needle[i]] = length - 1 - i;
    u32 found = 0;
    for (u32 at = 0; at + length <= HAY; at += skip[hay[at + length - 1]]) {
        u32 left = length;
        while (left && hay[at + left - 1] == needle[left - 1]) left--;
        if (!left) found++;
    }
    return found;
}

u64 run(u32 n) {
    u32 random = 1;
    for (u32 i = 0; i < HAY; i++) hay[i] = (u8)('a' + next(&random) % 4);
    u64 sum = 0;
    for (u32 round = 0; round < n; round++) {
        u8 needle[16];
        u32 length = 3 + round % 13;
        u32 from = next(&random) % (HAY - 16);
        for (u32 i = 0; i < length; i++) needle[i] = hay[from + i];
        sum = mix(sum, (u64)plainly(needle, length) << 32 | horspool(needle, length));
    }
    return sum;
}
