// Words counted in a hash table with open addressing, n times put in, looked up and taken out.
#include "kernel.h"

#define SLOTS (1 << 15)
struct slot {
    u64 key;
    u32 count, taken;
};
static struct slot slots[SLOTS];

static NOINLINE struct slot *find(u64 key) {
    u32 at = (u32)(key * 0x9E3779B97F4A7C15u >> 49);
    while (slots[at].taken && slots[at].key != key) at = (at + 1) % SLOTS;
    return &slots[at];
}

// Closes the gap that a taken out slot leaves.
static NOINLINE void take_out(struct slot *slot) {
    u32 gap = (u32)(slot - slots), at = gap;
    for (;;) {
        at = (at + 1) % SLOTS;
        if (!slots[at].taken) break;
        u32 home = (u32)(slots[at].key * 0x9E3779B97F4A7C15u >> 49);
        if ((at - home) % SLOTS >= (at - gap) % SLOTS) {
            slots[gap] = slots[at];
            gap = at;
        }
    }
    slots[gap].taken = 0;
}

u64 run(u32 n) {
    for (u32 i = 0; i < SLOTS; i++) slots[i].taken = 0;
    u32 random = 1, filled = 0;
    u64 sum = 0;
    for (u32 i = 0; i < n; i++) {
        u32 number = next(&random);
        struct slot *slot = find(number % 40000);
        if (!slot->taken && filled < SLOTS * 3 / 4) {
            slot->key = number % 40000, slot->count = 1, slot->taken = 1;
            filled++;
        } else if (slot->taken && number >> 28 < 3) {
            sum = mix(sum, slot->count);
            take_out(slot);
            filled--;
        } else if (slot->taken) {
            slot->count++;
        }
    }
    for (u32 i = 0; i < SLOTS; i++)
        if (slots[i].taken) sum += slots[i].key * slots[i].count;
    return mix(sum, filled);
}
