// The spectral norm of a matrix of n by n that is worked out again at every use: conversions and f64 divisions.
#include "kernel.h"

#define MOST 1000
static double u[MOST], v[MOST], w[MOST];

static inline double element(u32 i, u32 j) { return 1.0 / ((double)((i + j) * (i + j + 1) / 2) + (double)(i + 1)); }

static NOINLINE void times(u32 n, const double *from, double *to) {
    for (u32 i = 0; i < n; i++) {
        double sum = 0;
        for (u32 j = 0; j < n; j++) sum += element(i, j) * from[j];
        to[i] = sum;
    }
}

static NOINLINE void transposed_times(u32 n, const double *from, double *to) {
    for (u32 i = 0; i < n; i++) {
        double sum = 0;
        for (u32 j = 0; j < n; j++) sum += element(j, i) * from[j];
        to[i] = sum;
    }
}

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    for (u32 i = 0; i < n; i++) u[i] = 1;
    for (u32 round = 0; round < 10; round++) {
        times(n, u, w), transposed_times(n, w, v);
        times(n, v, w), transposed_times(n, w, u);
    }
    double uv = 0, vv = 0;
    for (u32 i = 0; i < n; i++) uv += u[i] * v[i], vv += v[i] * v[i];
    return bits(__builtin_sqrt(uv / vv));
}
