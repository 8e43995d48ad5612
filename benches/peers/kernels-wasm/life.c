// Conway's Life on 128 by 128 cells that wrap, n generations: sums of neighbours, a store for each cell.
#include "kernel.h"

#define SIDE 128
static u8 worlds[2][SIDE * SIDE];

static NOINLINE void generation(const u8 *from, u8 *to) {
    for (u32 y = 0; y < SIDE; y++)
        for (u32 x = 0; x < SIDE; x++) {
            u32 neighbours = 0;
            for (u32 dy = SIDE - 1; dy <= SIDE + 1; dy++)
                for (u32 dx = SIDE - 1; dx <= SIDE + 1; dx++)
                    neighbours += from[(y + dy) % SIDE * SIDE + (x + dx) % SIDE];
            u32 cell = from[y * SIDE + x];
            neighbours -= cell;
            to[y * SIDE + x] = neighbours == 3 || (cell && neighbours == 2);
        }
}

u64 run(u32 n) {
    u32 random = 1;
    for (u32 i = 0; i < SIDE * SIDE; i++) worlds[0][i] = next(&random) >> 16 & 1;
    for (u32 i = 0; i < n; i++) generation(worlds[i % 2], worlds[1 - i % 2]);
    u64 sum = 0;
    for (u32 i = 0; i < SIDE * SIDE; i++) sum = mix(sum, worlds[n % 2][i]);
    return sum;
}
