// n ints sorted by heapsort: indices that double, loads far from each other.
#include "kernel.h"

#define MOST (1 << 20)
static i32 heap[MOST];

static NOINLINE void sift(u32 at, u32 end) {
    i32 number = heap[at];
    for (;;) {
        u32 child = 2 * at + 1;
        if (child >= end) break;
        if (child + 1 < end && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= number) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = number;
}

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    u32 random = 1;
    for (u32 i = 0; i < n; i++) heap[i] = (i32)next(&random);
    for (u32 i = n / 2; i-- > 0;) sift(i, n);
    for (u32 end = n; end-- > 1;) {
        i32 largest = heap[0];
        heap[0] = heap[end];
        heap[end] = largest;
        sift(0, end);
    }
    u64 sum = 0;
    for (u32 i = 0; i < n; i++) sum = mix(sum, (u32)heap[i]);
    return sum;
}
