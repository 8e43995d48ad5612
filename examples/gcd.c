/* A C program with a Spasm object in it:
 *
 *   spasm build examples/gcd.spasm -o gcd.o --header gcd.h
 *   cc -I. examples/gcd.c gcd.o -o gcd
 *   ./gcd 1071 462 0
 *
 * Nothing else is needed: the object brings its small runtime along. A division by zero in Spasm is a trap, which this
 * program survives. See also gcd.py.
 */
#include "gcd.h"
#include <stdio.h>
#include <stdlib.h>

struct pair {
    int64_t a, b, result;
};

static void call(void *data) {
    struct pair *pair = data;
    pair->result = gcd(pair->a, pair->b);
}

int main(int argc, char **argv) {
    struct pair pair = {0, 0, 0};
    struct spasm_trap trap;
    for (int i = 2; i < argc; i++) {
        pair.a = atoll(argv[i - 1]);
        pair.b = atoll(argv[i]);
        if (spasm_try(call, &pair, &trap) == SPASM_RETURNED)
            printf("gcd(%ld, %ld) = %ld\n", (long)pair.a, (long)pair.b, (long)pair.result);
        else
            printf("gcd(%ld, %ld): %s at %s:%u\n", (long)pair.a, (long)pair.b, trap.message, trap.frames[0].file,
                (unsigned)trap.frames[0].line);
    }
    return 0;
}
