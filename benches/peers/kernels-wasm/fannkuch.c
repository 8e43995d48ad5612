// The most flips of pancakes for all permutations of n: short loops over small arrays.
#include "kernel.h"

u64 run(u32 n) {
    u32 first[16], flipped[16], counts[16], most = 0, left = n;
    i32 sum = 0;
    for (u32 i = 0; i < n; i++) first[i] = i;
    for (u32 number = 0;; number++) {
        for (; left != 1; left--) counts[left - 1] = left;
        for (u32 i = 0; i < n; i++) flipped[i] = first[i];
        u32 flips = 0;
        for (u32 top = flipped[0]; top; top = flipped[0]) {
            for (u32 low = 0, high = top; low < high; low++, high--) {
                u32 pancake = flipped[low];
                flipped[low] = flipped[high];
                flipped[high] = pancake;
            }
            flips++;
        }
        if (flips > most) most = flips;
        sum += number % 2 ? -(i32)flips : (i32)flips;
        for (;; left++) {
            if (left == n) return (u64)(u32)sum << 32 | most;
            u32 moved = first[0];
            for (u32 i = 0; i < left; i++) first[i] = first[i + 1];
            first[left] = moved;
            if (--counts[left]) break;
        }
    }
}
