// The sieve of Eratosthenes up to n: stores with a stride.
#include "kernel.h"

#define MOST (4 << 20)
static u8 composite[MOST + 1];

u64 run(u32 n) {
    if (n > MOST) n = MOST;
    for (u32 i = 0; i <= n; i++) composite[i] = 0;
    u32 primes = 0, last = 0;
    for (u32 i = 2; i <= n; i++) {
        if (composite[i]) continue;
        primes++;
        last = i;
        for (u64 multiple = (u64)i * i; multiple <= n; multiple += i) composite[multiple] = 1;
    }
    return (u64)last << 32 | primes;
}
