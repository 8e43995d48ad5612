// The planets for n steps: f64, square roots and divisions.
#include "kernel.h"

struct body {
    double x[3], v[3], mass;
};

static const struct body start[5] = {
    {{0, 0, 0}, {0, 0, 0}, 39.47841760435743},
    {{4.84143144246472090, -1.16032004402742839, -0.103622044471123109},
     {0.606326392995832, 2.81198684491626, -0.02521836165988763}, 0.03769367487038949},
    {{8.34336671824457987, 4.12479856412430479, -0.403523417114321381},
     {-1.0107743461787924, 1.8256623712304119, 0.008415761376584154}, 0.011286326131968767},
    {{12.8943695621391310, -15.1111514016986312, -0.223307578892655734},
     {1.0827910064415354, 0.8687130181696082, -0.010832637401363636}, 0.0017237240570597112},
    {{15.3796971148509165, -25.9193146099879641, 0.179258772950371181},
     {0.979090732243898, 0.5946989986476762, -0.034755955504078104}, 0.0020336868699246304},
};
static struct body bodies[5];

static NOINLINE void advance(double dt) {
    for (u32 i = 0; i < 5; i++)
        for (u32 j = i + 1; j < 5; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
            double square = dx * dx + dy * dy + dz * dz;
            double pull = dt / (square * __builtin_sqrt(square));
            a->v[0] -= dx * b->mass * pull, a->v[1] -= dy * b->mass * pull, a->v[2] -= dz * b->mass * pull;
            b->v[0] += dx * a->mass * pull, b->v[1] += dy * a->mass * pull, b->v[2] += dz * a->mass * pull;
        }
    for (u32 i = 0; i < 5; i++)
        for (u32 k = 0; k < 3; k++) bodies[i].x[k] += dt * bodies[i].v[k];
}

u64 run(u32 n) {
    for (u32 i = 0; i < 5; i++) {
        bodies[i].mass = start[i].mass;
        for (u32 k = 0; k < 3; k++) bodies[i].x[k] = start[i].x[k], bodies[i].v[k] = start[i].v[k];
    }
    for (u32 step = 0; step < n; step++) advance(0.01);
    u64 sum = 0;
    for (u32 i = 0; i < 5; i++)
        for (u32 k = 0; k < 3; k++) sum = mix(mix(sum, bits(bodies[i].x[k])), bits(bodies[i].v[k]));
    return sum;
}
