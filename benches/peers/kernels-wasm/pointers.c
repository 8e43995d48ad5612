// n calls through a table of function pointers, chosen at random: call_indirect.
#include "kernel.h"

typedef u32 operation(u32, u32);

static u32 plus(u32 a, u32 b) { return a + b; }
static u32 minus(u32 a, u32 b) { return a - b; }
static u32 times(u32 a, u32 b) { return a * (b | 1); }
static u32 both(u32 a, u32 b) { return a & ~b; }
static u32 either(u32 a, u32 b) { return a | b >> 3; }
static u32 odd(u32 a, u32 b) { return a ^ b; }
static u32 shifted(u32 a, u32 b) { return a << (b & 7); }
static u32 turned(u32 a, u32 b) { return a >> (b & 15) | a << (31 & -(b & 15)); }

static operation *operations[8] = {plus, minus, times, both, either, odd, shifted, turned};

u64 run(u32 n) {
    u32 random = 1, value = 1;
    for (u32 i = 0; i < n; i++) {
        // Half of them alike, as real programs are.
        u32 number = next(&random);
        value = operations[number & 64 ? 0 : number & 7](value, number) + i;
    }
    return value;
}
