// A virtual machine with a stack that counts primes below n by a program in bytes: one switch over all opcodes.
#include "kernel.h"

enum { HALT, PUSH, LOAD, STORE, ADD, SUB, MUL, REM, LESS, EQUAL, JUMP, UNLESS, DUP, DROP, SWAP, NOT, AND, INC };

// for (n = 2; n < limit; n++) { for (d = 2; d * d <= n; d++) if (n % d == 0) goto next; count++; next: }
static const u8 program[] = {
    PUSH, 2, STORE, 0,                                        // 0: n = 2
    LOAD, 0, LOAD, 3, LESS, UNLESS, 57,                       // 4: while n < limit
    PUSH, 2, STORE, 1,                                        // 11: d = 2
    LOAD, 1, DUP, MUL, LOAD, 0, INC, LESS, UNLESS, 44,        // 15: while d * d < n + 1
    LOAD, 0, LOAD, 1, REM, NOT, UNLESS, 35, JUMP, 49,         // 25: if n % d == 0 goto 49
    LOAD, 1, PUSH, 1, ADD, STORE, 1, JUMP,                    // 35: d = d + 1
    /* 43 */ 15,
    LOAD, 2, INC, STORE, 2,                                   // 44: count = count + 1
    /* 49 */ LOAD, 0, INC, STORE, 0, JUMP, 4, HALT,           // 49: n = n + 1
    HALT,
};

static u32 stack[32], variables[8];
static u64 steps;

static NOINLINE u32 interpret(u32 limit) {
    const u8 *at = program;
    u32 *top = stack, count = 0;
    variables[0] = variables[1] = variables[2] = 0;
    variables[3] = limit;
    for (;;) {
        count++;
        switch (*at++) {
        case PUSH: *top++ = *at++; break;
        case LOAD: *top++ = variables[*at++]; break;
        case STORE: variables[*at++] = *--top; break;
        case ADD: top--, top[-1] += *top; break;
        case SUB: top--, top[-1] -= *top; break;
        case MUL: top--, top[-1] *= *top; break;
        case REM: top--, top[-1] %= *top; break;
        case LESS: top--, top[-1] = top[-1] < *top; break;
        case EQUAL: top--, top[-1] = top[-1] == *top; break;
        case AND: top--, top[-1] &= *top; break;
        case JUMP: at = program + *at; break;
        case UNLESS: at = *--top ? at + 1 : program + *at; break;
        case DUP: *top = top[-1], top++; break;
        case DROP: top--; break;
        case SWAP: {
            u32 word = top[-1];
            top[-1] = top[-2], top[-2] = word;
            break;
        }
        case NOT: top[-1] = !top[-1]; break;
        case INC: top[-1]++; break;
        default: steps = count; return variables[2];
        }
    }
}

u64 run(u32 n) {
    u64 primes = interpret(n);
    return steps << 32 | primes;
}
