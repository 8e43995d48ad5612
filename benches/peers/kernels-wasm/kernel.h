// What every kernel begins with. A kernel is one file with a function `u64 run(u32 n)`: n says how much work, the result
// tells whether it was done right. No library: the same file is compiled for this machine and for WebAssembly. run may be
// called again and again and gives the same each time; results do not depend on how large a pointer is.
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#ifdef __wasm__
#define EXPORT __attribute__((export_name("run")))
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT u64 run(u32 n);

#define NOINLINE __attribute__((noinline))

// A word into a sum that depends on the order.
static inline u64 mix(u64 sum, u64 word) {
    sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
    return sum ^ sum >> 29;
}

static inline u64 bits(double x) {
    union {
        double x;
        u64 bits;
    } both = {x};
    return both.bits;
}

// Marsaglia's xorshift: numbers to work on.
static inline u32 next(u32 *state) {
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}
