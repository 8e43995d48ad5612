// The longest Collatz sequence that begins below n: 64-bit arithmetic, and branches that nobody can foretell.
#include "kernel.h"

u64 run(u32 n) {
    u64 longest = 0, steps_of_longest = 0;
    for (u64 start = 1; start < n; start++) {
        u64 x = start, steps = 0;
        while (x != 1) {
            x = x % 2 ? 3 * x + 1 : x / 2;
            steps++;
        }
        if (steps > steps_of_longest) longest = start, steps_of_longest = steps;
    }
    return longest << 32 | steps_of_longest;
}
