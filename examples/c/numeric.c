/* A C program that links an object written in Spasm, and calls it as if it were C:
 *
 *   $ spasm build examples/c/numeric.spasm -o numeric.o --header numeric.h
 *   $ cc -I. examples/c/numeric.c numeric.o -lm -o numeric
 *   $ ./numeric
 *   x² - 3x + 2 = 0 has 2 solutions: 1 and 2
 *   x² + 1 = 0 has none
 *   -7 = -4 * 2 + 1
 *   1 + 2x + 3x² is 17 at 2
 *   the integral of sin(3x) from 0 to π is 0.666667, by 201 calls
 *   1 / 0: divide by zero at examples/c/numeric.spasm:46
 *
 * There is no Spasm at run time: the object has machine code, and a small runtime that asks for nothing but the C
 * library. It links into executables and shared libraries, static or not.
 */
#include "numeric.h"
#include <math.h>
#include <stdio.h>

/* What `integrate` hands through to the function that it integrates. */
struct wave {
    double frequency;
    int calls;
};

static double sine(double x, void *data) {
    struct wave *wave = data;
    wave->calls++;
    return sin(wave->frequency * x);
}

static void solve(const char *equation, double a, double b, double c) {
    struct roots_results found = roots(a, b, c);
    if (found.r1 == 0)
        printf("%s has none\n", equation);
    else
        printf("%s has %d solutions: %g and %g\n", equation, (int)found.r1, found.r2, found.r3);
}

/* A function for spasm_try: a trap within it ends it, as longjmp would. */
static void divide_by_zero(void *data) {
    struct divide_results *results = data;
    *results = divide(1, 0);
}

int main(void) {
    solve("x² - 3x + 2 = 0", 1, -3, 2);
    solve("x² + 1 = 0", 1, 0, 1);

    struct divide_results parts = divide(-7, 2);
    printf("-7 = %d * 2 + %d\n", (int)parts.r1, (int)parts.r2);

    const float coefficients[] = {1, 2, 3};
    printf("1 + 2x + 3x² is %g at 2\n", polynomial((int64_t)coefficients, 3, 2));

    /* Addresses are int64_t in the header: to Spasm they are ints. */
    struct wave wave = {3, 0};
    double integral = integrate((int64_t)sine, (int64_t)&wave, 0, acos(-1), 100);
    printf("the integral of sin(3x) from 0 to π is %g, by %d calls\n", integral, wave.calls);

    struct spasm_trap trap;
    if (spasm_try(divide_by_zero, &parts, &trap) == SPASM_TRAPPED)
        printf("1 / 0: %s at %s:%u\n", trap.message, trap.frames[0].file, (unsigned)trap.frames[0].line);
    return 0;
}
