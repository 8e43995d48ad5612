// Shapes with a table of methods each: n times the area of all, through a pointer in a pointer.
#include "kernel.h"

struct shape;
struct methods {
    double (*area)(const struct shape *);
    void (*grow)(struct shape *, double);
};
struct shape {
    const struct methods *methods;
    double a, b;
};

static double square_area(const struct shape *s) { return s->a * s->a; }
static double rectangle_area(const struct shape *s) { return s->a * s->b; }
static double triangle_area(const struct shape *s) { return s->a * s->b / 2; }
static double ring_area(const struct shape *s) { return 3.0 * (s->a * s->a - s->b * s->b); }
static void grow_one(struct shape *s, double by) { s->a += by; }
static void grow_both(struct shape *s, double by) { s->a += by, s->b += by; }

static const struct methods kinds[4] = {
    {square_area, grow_one}, {rectangle_area, grow_both}, {triangle_area, grow_one}, {ring_area, grow_both}};

#define SHAPES 1000
static struct shape shapes[SHAPES];

u64 run(u32 n) {
    u32 random = 1;
    for (u32 i = 0; i < SHAPES; i++) {
        shapes[i].methods = &kinds[next(&random) >> 10 & 3];
        shapes[i].a = i % 10 + 1, shapes[i].b = i % 7;
    }
    double total = 0;
    for (u32 round = 0; round < n; round++) {
        for (u32 i = 0; i < SHAPES; i++) total += shapes[i].methods->area(&shapes[i]);
        struct shape *one = &shapes[round % SHAPES];
        one->methods->grow(one, 0.5);
    }
    return bits(total);
}
