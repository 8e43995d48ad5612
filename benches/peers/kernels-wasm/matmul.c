// A product of matrices of n by n in f64: loads, one of them with a stride.
#include "kernel.h"

#define MOST 256
static double a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    for (u32 i = 0; i < n * n; i++) a[i] = (double)(i % 7) - 2.5, b[i] = (double)(i % 11) * 0.25;
    for (u32 i = 0; i < n; i++)
        for (u32 j = 0; j < n; j++) {
            double sum = 0;
            for (u32 k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    u64 sum = 0;
    for (u32 i = 0; i < n * n; i++) sum = mix(sum, bits(c[i]));
    return sum;
}
