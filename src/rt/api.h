/* The runtime of programs that Spasm objects are linked into. */
#ifndef SPASM_RUNTIME_H
#define SPASM_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a Spasm program stopped. */
enum spasm_trap_kind {
    SPASM_DIVIDE_BY_ZERO,
    SPASM_INTEGER_OVERFLOW,
    SPASM_INVALID_CONVERSION,
    SPASM_OUT_OF_BOUNDS_MEMORY,
    SPASM_OUT_OF_BOUNDS_ARGUMENT,
    SPASM_UNDEFINED_ELEMENT,
    SPASM_INDIRECT_CALL_TYPE_MISMATCH,
    SPASM_UNREACHABLE,
    SPASM_STACK_OVERFLOW,
    SPASM_INTERRUPTED,
    SPASM_OUT_OF_BOUNDS_TABLE,
    SPASM_UNINITIALIZED_ELEMENT
};

/* A Spasm function that was being executed. */
struct spasm_frame {
    const char *function;
    const char *file; /* NULL where it is not known */
    uint32_t line;    /* 0 where it is not known */
};

/* A trap. The texts live as long as the module's code. */
struct spasm_trap {
    int kind;            /* an enum spasm_trap_kind */
    const char *message; /* such as "divide by zero" */
    size_t depth;        /* how many Spasm functions were being executed, up to the C function that called them */
    size_t shown;        /* how many of them are in `frames`, the innermost first */
    struct spasm_frame frames[32];
};

/* How spasm_try ended. */
enum spasm_status {
    SPASM_RETURNED, /* the function returned */
    SPASM_TRAPPED,  /* a trap; *trap says which */
    SPASM_HALTED,   /* a `halt` */
    SPASM_FAILED    /* standard input or output failed; a message stands on standard error */
};

/* Calls body(data). A trap or `halt` of Spasm code within it ends the call: C functions between the trap and this call
   are left as by longjmp, so they must hold nothing that they would have to give back. `trap` may be NULL. Calls may be
   nested; each thread has its own. */
int spasm_try(void (*body)(void *data), void *data, struct spasm_trap *trap);

/* What a trap calls that no spasm_try catches, instead of writing its message to standard error. It runs in a signal
   handler, on the signal stack. When it returns, the process ends by abort(). NULL takes it away. */
void spasm_set_trap_handler(void (*handler)(const struct spasm_trap *trap, void *data), void *data);

/* Gives the calling thread a signal stack, so that its stack overflows are told as such: the main thread, and threads
   that call spasm_try, have one already. Gives 0, or -1 where the system refuses. */
int spasm_thread_start(void);

/* The linear memory of a module: its first byte, which never moves, and its size in bytes. */
struct spasm_module;
uint8_t *spasm_memory(const struct spasm_module *module);
uint64_t spasm_memory_size(const struct spasm_module *module);

#ifdef __cplusplus
}
#endif

#endif
