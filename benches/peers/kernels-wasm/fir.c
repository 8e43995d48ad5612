// A filter of 32 taps over n samples in f32, in whose loops each addition waits for the one before.
#include "kernel.h"

#define MOST (1 << 16)
#define TAPS 32
static float samples[MOST + TAPS], filtered[MOST];
static float taps[TAPS];

u64 run(u32 n) {
    u32 random = 1;
    for (u32 i = 0; i < MOST + TAPS; i++) samples[i] = (float)(i32)next(&random) / 65536.0f;
    for (u32 i = 0; i < TAPS; i++) taps[i] = 1.0f / (float)(i + 1);
    double total = 0;
    for (u32 done = 0; done < n; done += MOST) {
        u32 count = n - done < MOST ? n - done : MOST;
        for (u32 i = 0; i < count; i++) {
            float sum = 0;
            for (u32 k = 0; k < TAPS; k++) sum += samples[i + k] * taps[k];
            filtered[i] = sum;
        }
        for (u32 i = 0; i < count; i++) total += filtered[i];
        samples[done / MOST % TAPS] += 1.0f;
    }
    return bits(total);
}
