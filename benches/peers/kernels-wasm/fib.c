// The n-th Fibonacci number, twice recursive: calls and little else. The compiler makes a loop of one of the two calls.
#include "kernel.h"

static NOINLINE u32 fib(u32 n) {
    if (n < 2) return n;
    return fib(n - 1) + fib(n - 2);
}

u64 run(u32 n) { return fib(n); }
