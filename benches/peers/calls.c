/* Calls, for the benchmark of what they cost: a function that does next to nothing, and loops that call it. */
#include <stdint.h>

__attribute__((noinline, noclone)) int64_t callee(int64_t x) {
    __asm__ volatile("" : "+r"(x));
    return x + 1;
}

int64_t call_direct(int64_t n) {
    int64_t x = 0;
    for (int64_t i = 0; i < n; i++)
        x = callee(x);
    return x;
}

__attribute__((noinline, noclone)) int64_t call_through(int64_t n, int64_t (*f)(int64_t)) {
    int64_t x = 0;
    for (int64_t i = 0; i < n; i++)
        x = f(x);
    return x;
}

/* libffi as its own documentation has it: prepared once, called with arrays of pointers. */
typedef struct ffi_type ffi_type;
int64_t call_ffi(int64_t n, int (*prepare)(void *, int, unsigned, const ffi_type *, const ffi_type **),
                 void (*call)(void *, void (*)(void), void *, void **), const ffi_type *sint64) {
    /* Larger than any ffi_cif; 2 is FFI_UNIX64. */
    _Alignas(16) char cif[256];
    const ffi_type *types[1] = {sint64};
    int64_t x = 0;
    void *values[1] = {&x};
    if (prepare(cif, 2, 1, sint64, types) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        call(cif, (void (*)(void))callee, &x, values);
    return x;
}
