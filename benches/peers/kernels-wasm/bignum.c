// n digits of pi by Gibbons' spigot on numbers of many words: 32 by 32 bits to 64, with carries, and long division.
#include "kernel.h"

#define WORDS 4096
struct number {
    u32 length, words[WORDS];
};
static struct number numerator, accumulator, denominator, left, right;

static NOINLINE void times(struct number *x, u32 by) {
    u64 carry = 0;
    for (u32 i = 0; i < x->length; i++) {
        carry += (u64)x->words[i] * by;
        x->words[i] = (u32)carry;
        carry >>= 32;
    }
    if (carry) x->words[x->length++] = (u32)carry;
}

// x + y * by
static NOINLINE void plus(struct number *x, const struct number *y, u32 by) {
    u64 carry = 0;
    for (u32 i = 0; i < y->length || carry; i++) {
        if (i >= x->length) x->words[x->length++] = 0;
        if (i < y->length) carry += (u64)y->words[i] * by;
        carry += x->words[i];
        x->words[i] = (u32)carry;
        carry >>= 32;
    }
}

// x - y * by, which is not negative.
static NOINLINE void minus(struct number *x, const struct number *y, u32 by) {
    u64 carry = 0;
    for (u32 i = 0; i < x->length; i++) {
        if (i < y->length) carry += (u64)y->words[i] * by;
        u32 less = (u32)carry;
        carry = (carry >> 32) + (x->words[i] < less);
        x->words[i] -= less;
    }
    while (x->length > 1 && !x->words[x->length - 1]) x->length--;
}

static NOINLINE i32 compare(const struct number *x, const struct number *y) {
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    for (u32 i = x->length; i-- > 0;)
        if (x->words[i] != y->words[i]) return x->words[i] < y->words[i] ? -1 : 1;
    return 0;
}

static void set(struct number *x, const struct number *from) {
    x->length = from->length;
    for (u32 i = 0; i < from->length; i++) x->words[i] = from->words[i];
}

// The digit (numerator * by + accumulator) / denominator, which is below 10.
static u32 digit(u32 by) {
    set(&left, &accumulator);
    plus(&left, &numerator, by);
    u32 found = 0;
    for (u32 bit = 8; bit; bit /= 2) {
        set(&right, &denominator);
        times(&right, found + bit);
        if (compare(&right, &left) <= 0) found += bit;
    }
    return found;
}

u64 run(u32 n) {
    numerator.length = accumulator.length = denominator.length = 1;
    numerator.words[0] = denominator.words[0] = 1, accumulator.words[0] = 0;
    u64 sum = 0;
    for (u32 step = 1, found = 0; found < n;) {
        plus(&accumulator, &numerator, 2);
        times(&accumulator, 2 * step + 1);
        times(&denominator, 2 * step + 1);
        times(&numerator, step++);
        if (numerator.length > WORDS - 4 || accumulator.length > WORDS - 4) return 0;
        if (compare(&numerator, &accumulator) > 0) continue;
        u32 three = digit(3);
        if (three != digit(4)) continue;
        // What is left must not be negative: these numbers have no sign.
        set(&right, &denominator);
        times(&right, three);
        if (compare(&right, &accumulator) > 0) continue;
        sum = mix(sum, three);
        found++;
        minus(&accumulator, &denominator, three);
        times(&accumulator, 10);
        times(&numerator, 10);
    }
    return sum;
}
