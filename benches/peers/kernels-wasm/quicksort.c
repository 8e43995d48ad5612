// n ints sorted by quicksort, which ends with insertion: compares, swaps, recursion.
#include "kernel.h"

#define MOST (1 << 20)
static i32 numbers[MOST];

static void sort(i32 *low, i32 *high) {
    while (high - low > 12) {
        i32 a = *low, b = low[(high - low) / 2], c = *high;
        i32 pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        i32 *left = low, *right = high;
        while (left <= right) {
            while (*left < pivot) left++;
            while (*right > pivot) right--;
            if (left <= right) {
                i32 number = *left;
                *left++ = *right;
                *right-- = number;
            }
        }
        sort(low, right);
        low = left;
    }
    for (i32 *next = low + 1; next <= high; next++) {
        i32 number = *next, *at = next;
        for (; at > low && at[-1] > number; at--) *at = at[-1];
        *at = number;
    }
}

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    u32 random = 1;
    for (u32 i = 0; i < n; i++) numbers[i] = (i32)next(&random);
    sort(numbers, numbers + n - 1);
    u64 sum = 0;
    for (u32 i = 0; i < n; i++) sum = mix(sum, (u32)numbers[i]);
    return sum;
}
