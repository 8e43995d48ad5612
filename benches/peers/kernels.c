// The kernels of the examples, in C: the same work, loop by loop. Compiled twice; NAME puts the optimisation level before
// each function's name. Every function takes ints and gives 64 bits, so that all of them can be called alike.

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef NAME
#error "NAME(x) must be defined"
#endif

typedef int64_t i64;
typedef uint64_t u64;
typedef uint32_t u32;

// What linear memory is to Spasm.
static _Alignas(64) uint8_t memory[64 << 20];

static u64 bits(double x) {
    u64 result;
    memcpy(&result, &x, 8);
    return result;
}

u64 NAME(add_answer)(i64 x) { return (u64)(x + 42); }

u64 NAME(fib)(i64 n) {
    if (n < 2) return (u64)n;
    return NAME(fib)(n - 1) + NAME(fib)(n - 2);
}

u64 NAME(sieve)(i64 limit) {
    uint8_t *composite = memory;
    memset(composite, 0, (size_t)limit + 1);
    i64 primes = 0;
    for (i64 n = 2; n <= limit; n++) {
        if (composite[n]) continue;
        primes++;
        for (i64 multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
    }
    return (u64)primes;
}

u64 NAME(matmul_fill)(i64 n) {
    double *a = (double *)memory, *b = a + n * n;
    for (i64 i = 0; i < n; i++)
        for (i64 j = 0; j < n; j++) {
            a[i * n + j] = (double)((i + j) % 3);
            b[i * n + j] = (double)((i * j) % 5);
        }
    return 0;
}

u64 NAME(matmul)(i64 n) {
    double *a = (double *)memory, *b = a + n * n, *c = b + n * n;
    for (i64 i = 0; i < n; i++)
        for (i64 j = 0; j < n; j++) {
            double sum = 0;
            for (i64 k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    return 0;
}

u64 NAME(matmul_total)(i64 n) {
    double *c = (double *)memory + 2 * n * n;
    double sum = 0;
    for (i64 i = 0; i < n * n; i++) sum += c[i];
    return bits(sum);
}

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static struct body bodies[5] = {
    {0, 0, 0, 0, 0, 0, 39.47841760435743},
    {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626,
     -0.02521836165988763, 0.03769367487038949},
    {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.0107743461787924, 1.8256623712304119,
     0.008415761376584154, 0.011286326131968767},
    {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.0827910064415354, 0.8687130181696082,
     -0.010832637401363636, 0.0017237240570597112},
    {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.5946989986476762,
     -0.034755955504078104, 0.0020336868699246304},
};

static void settle(void) {
    double x = 0, y = 0, z = 0;
    for (int i = 1; i < 5; i++) {
        x += bodies[i].vx * bodies[i].mass;
        y += bodies[i].vy * bodies[i].mass;
        z += bodies[i].vz * bodies[i].mass;
    }
    bodies[0].vx = -x / bodies[0].mass;
    bodies[0].vy = -y / bodies[0].mass;
    bodies[0].vz = -z / bodies[0].mass;
}

static double energy(void) {
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        struct body *a = &bodies[i];
        sum += (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz) * a->mass * 0.5;
        for (int j = i + 1; j < 5; j++) {
            struct body *b = &bodies[j];
            double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
            sum -= b->mass * a->mass / sqrt(x * x + y * y + z * z);
        }
    }
    return sum;
}

u64 NAME(nbody)(i64 steps) {
    const double time = 0.01;
    settle();
    for (i64 step = 0; step < steps; step++) {
        for (int i = 0; i < 5; i++) {
            struct body *a = &bodies[i];
            for (int j = i + 1; j < 5; j++) {
                struct body *b = &bodies[j];
                double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
                double square = x * x + y * y + z * z;
                double pull = time / (sqrt(square) * square);
                double to_a = b->mass * pull, to_b = a->mass * pull;
                a->vx -= x * to_a;
                a->vy -= y * to_a;
                a->vz -= z * to_a;
                b->vx += x * to_b;
                b->vy += y * to_b;
                b->vz += z * to_b;
            }
        }
        for (int i = 0; i < 5; i++) {
            bodies[i].x += bodies[i].vx * time;
            bodies[i].y += bodies[i].vy * time;
            bodies[i].z += bodies[i].vz * time;
        }
    }
    return bits(energy());
}

static i64 is_inside(double re, double im) {
    double x = 0, y = 0, xx = 0, yy = 0;
    for (int round = 0; round < 200; round++) {
        y = x * y;
        y = y + y + im;
        x = xx - yy + re;
        xx = x * x;
        yy = y * y;
        if (xx + yy > 4) return 0;
    }
    return 1;
}

u64 NAME(mandelbrot)(i64 n) {
    double step = 2.5 / (double)n, im = -1.25;
    i64 inside = 0;
    for (i64 row = 0; row < n; row++, im += step) {
        double re = -2;
        for (i64 column = 0; column < n; column++, re += step) inside += is_inside(re, im);
    }
    return (u64)inside;
}

u64 NAME(quicksort_fill)(i64 n) {
    i64 *numbers = (i64 *)memory;
    u64 state = 1;
    for (i64 i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (i64)(state >> 33);
    }
    return 0;
}

static void sort(i64 *low, i64 *high) {
    while (low < high) {
        i64 pivot = low[(high - low) / 2];
        i64 *up = low, *down = high;
        do {
            while (*up < pivot) up++;
            while (*down > pivot) down--;
            if (up <= down) {
                i64 number = *up;
                *up++ = *down;
                *down-- = number;
            }
        } while (up <= down);
        sort(low, down);
        low = up;
    }
}

u64 NAME(quicksort)(i64 n) {
    sort((i64 *)memory, (i64 *)memory + n - 1);
    return 0;
}

u64 NAME(quicksort_middle)(i64 n) { return (u64)((i64 *)memory)[n >> 1]; }

u64 NAME(hash_fill)(i64 n) {
    for (i64 i = 0; i < n; i++) memory[i] = (uint8_t)i;
    return 0;
}

u64 NAME(fnv1a)(i64 n) {
    u64 hash = 0xcbf29ce484222325;
    for (const uint8_t *byte = memory, *end = memory + n; byte < end; byte++) {
        hash ^= *byte;
        hash *= 0x100000001b3;
    }
    return hash;
}

static u64 rotl(u64 x, int by) { return x << by | x >> (64 - by); }

static const u64 P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x165667b19e3779f9, P4 = 0x85ebca77c2b2ae63,
                 P5 = 0x27d4eb2f165667c5;

static u64 word(const uint8_t *at) {
    u64 result;
    memcpy(&result, at, 8);
    return result;
}

static u64 merge(u64 hash, u64 lane) { return (hash ^ rotl(lane * P2, 31) * P1) * P1 + P4; }

u64 NAME(xxh64)(i64 n) {
    const uint8_t *at = memory, *end = at + n;
    u64 hash = P5;
    if (n >= 32) {
        u64 a = P1 + P2, b = P2, c = 0, d = -P1;
        do {
            a = rotl(a + word(at) * P2, 31) * P1;
            b = rotl(b + word(at + 8) * P2, 31) * P1;
            c = rotl(c + word(at + 16) * P2, 31) * P1;
            d = rotl(d + word(at + 24) * P2, 31) * P1;
            at += 32;
        } while (at <= end - 32);
        hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
        hash = merge(merge(merge(merge(hash, a), b), c), d);
    }
    hash += (u64)n;
    for (; at + 8 <= end; at += 8) hash = rotl(hash ^ rotl(word(at) * P2, 31) * P1, 27) * P1 + P4;
    if (at + 4 <= end) {
        u32 half;
        memcpy(&half, at, 4);
        hash = rotl(hash ^ half * P1, 23) * P2 + P3;
        at += 4;
    }
    for (; at < end; at++) hash = rotl(hash ^ *at * P5, 11) * P1;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotr(u32 x, int by) { return x >> by | x << (32 - by); }

static void compress(u32 state[8], const uint8_t *block) {
    u32 w[64];
    for (int i = 0; i < 16; i++)
        w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        u32 t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (((f ^ g) & e) ^ g) + K[i] + w[i];
        u32 t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + (((a | b) & c) | (a & b));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    u32 round[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) state[i] += round[i];
}

u64 NAME(sha256_fill)(i64 n) {
    memset(memory, 'a', (size_t)n);
    return 0;
}

u64 NAME(sha256)(i64 n) {
    u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    i64 padded = (n + 72) & -64;
    memset(memory + n, 0, 72);
    memory[n] = 0x80;
    for (int i = 0; i < 8; i++) memory[padded - 8 + i] = (uint8_t)((u64)n * 8 >> (56 - 8 * i));
    for (i64 at = 0; at < padded; at += 64) compress(state, memory + at);
    return (u64)state[0] << 32 | state[1];
}

static const uint8_t program[] = {
    1, 1, 0, 0, 1, 2, 2, 0, 1, 5, 1, 0, 6, 6, 2, 0, 7, 6, 11, 0, 1, 3, 2, 0, 4, 6, 3, 3, 6, 7, 2, 6, 7, 7, 2, 0, 2, 1, 1, 5,
    8, 0, 3, 0, 5, 6, 2, 3, 7, 6, 1, 0, 8, 0, 3, 0, 2, 2, 2, 5, 8, 0, 0xf3, 0xff, 0, 1, 0, 0, 2, 3, 3, 5, 8, 0, 0xf3, 0xff,
};

u64 NAME(bytecode)(i64 n) {
    static i64 registers[16];
    registers[0] = n;
    const uint8_t *at = program;
    for (;; at += 4) {
        int16_t number;
        memcpy(&number, at + 2, 2);
        i64 *result = &registers[at[1]];
        switch (at[0]) {
        case 0: return (u64)*result;
        case 1: *result = number; break;
        case 2: *result = registers[at[2]] + registers[at[3]]; break;
        case 3: *result = registers[at[2]] - registers[at[3]]; break;
        case 4: *result = registers[at[2]] * registers[at[3]]; break;
        case 5: *result = registers[at[2]] % registers[at[3]]; break;
        case 6: *result = registers[at[2]] < registers[at[3]]; break;
        case 7:
            if (*result) break;
            __attribute__((fallthrough));
        case 8: at += 4 * number; break;
        default: return 0;
        }
    }
}

static i64 steps(i64 n) {
    i64 count = 0;
    while (n != 1) {
        n = n & 1 ? 3 * n + 1 : (i64)((u64)n >> 1);
        count++;
    }
    return count;
}

u64 NAME(collatz)(i64 limit) {
    i64 best = 0, most = 0;
    for (i64 n = 1; n < limit; n++) {
        i64 count = steps(n);
        if (count > most) best = n, most = count;
    }
    return (u64)best;
}

static u64 gcd(u64 a, u64 b) {
    do {
        u64 rest = a % b;
        a = b;
        b = rest;
    } while (b);
    return a;
}

u64 NAME(gcd)(i64 n) {
    u64 count = 0;
    for (i64 i = 1; i <= n; i++)
        for (i64 j = 1; j <= n; j++) count += gcd((u64)i, (u64)j) == 1;
    return count;
}

static u32 crc_table[256];

u64 NAME(crc32_fill)(i64 n) {
    for (u32 byte = 0; byte < 256; byte++) {
        u32 word = byte;
        for (int bit = 0; bit < 8; bit++) word = word >> 1 ^ (word & 1 ? 0xedb88320 : 0);
        crc_table[byte] = word;
    }
    return NAME(hash_fill)(n);
}

u64 NAME(crc32)(i64 n) {
    u32 sum = 0xffffffff;
    for (const uint8_t *byte = memory, *end = memory + n; byte < end; byte++)
        sum = sum >> 8 ^ crc_table[(sum ^ *byte) & 255];
    return ~sum;
}

static i64 place(i64 all, i64 columns, i64 left, i64 right) {
    if (columns == all) return 1;
    i64 ways = 0;
    i64 open = ~(columns | left | right) & all;
    while (open) {
        i64 queen = open & -open;
        open ^= queen;
        ways += place(all, columns | queen, (left | queen) << 1, (i64)((u64)(right | queen) >> 1));
    }
    return ways;
}

u64 NAME(queens)(i64 n) { return (u64)place(((i64)1 << n) - 1, 0, 0, 0); }

static double element(i64 i, i64 j) {
    return 1.0 / (double)((i64)((u64)((i + j) * (i + j + 1)) >> 1) + i + 1);
}

static void times(i64 n, const double *in, double *out) {
    for (i64 i = 0; i < n; i++) {
        double sum = 0;
        for (i64 j = 0; j < n; j++) sum += element(i, j) * in[j];
        out[i] = sum;
    }
}

static void times_transposed(i64 n, const double *in, double *out) {
    for (i64 i = 0; i < n; i++) {
        double sum = 0;
        for (i64 j = 0; j < n; j++) sum += element(j, i) * in[j];
        out[i] = sum;
    }
}

u64 NAME(spectral)(i64 n) {
    double *u = (double *)memory, *v = u + n, *between = v + n;
    for (i64 i = 0; i < n; i++) u[i] = 1;
    for (int round = 0; round < 10; round++) {
        times(n, u, between);
        times_transposed(n, between, v);
        times(n, v, between);
        times_transposed(n, between, u);
    }
    double uv = 0, vv = 0;
    for (i64 i = 0; i < n; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    return bits(sqrt(uv / vv));
}

static u64 state = 88172645463325252;

static double uniform(void) {
    u64 x = state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    state = x;
    return (double)(i64)(x >> 11) * 0x1p-53;
}

u64 NAME(pi)(i64 n) {
    i64 hits = 0;
    for (i64 i = n; i; i--) {
        double x = uniform(), y = uniform();
        hits += x * x + y * y <= 1;
    }
    return bits((double)hits / (double)n * 4);
}
