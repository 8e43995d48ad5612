// The distance of two texts of n letters: one row of a table, minima.
#include "kernel.h"

#define MOST 4096
static u8 one[MOST], other[MOST];
static u32 row[MOST + 1];

static inline u32 least(u32 a, u32 b) { return a < b ? a : b; }

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    u32 random = 1;
    for (u32 i = 0; i < n; i++) one[i] = next(&random) % 4, other[i] = next(&random) % 4;
    for (u32 i = 0; i <= n; i++) row[i] = i;
    for (u32 i = 0; i < n; i++) {
        u32 before = row[0];
        row[0] = i + 1;
        for (u32 j = 0; j < n; j++) {
            u32 changed = before + (one[i] != other[j]);
            before = row[j + 1];
            row[j + 1] = least(changed, least(before, row[j]) + 1);
        }
    }
    return row[n];
}
