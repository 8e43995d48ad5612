// The Mandelbrot set on n by n points: f64 in registers, a branch on a comparison.
#include "kernel.h"

u64 run(u32 n) {
    u64 sum = 0;
    for (u32 row = 0; row < n; row++)
        for (u32 column = 0; column < n; column++) {
            double cr = 2.0 * column / n - 1.5, ci = 2.0 * row / n - 1.0, zr = 0, zi = 0;
            u32 steps = 0;
            while (steps < 100 && zr * zr + zi * zi <= 4.0) {
                double next = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = next;
                steps++;
            }
            sum += steps;
        }
    return sum;
}
