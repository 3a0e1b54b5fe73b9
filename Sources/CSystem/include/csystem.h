#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>

#include "lanes.h"

/// Whether this processor, and the operating system on it, can run AVX2 and FMA code.
bool cs_has_avx2_fma(void);

/// Whether this processor, and the operating system on it, can run AVX-512 F, BW, VL and DQ code.
bool cs_has_avx512(void);

/// Tells the processor that a loop waits for another core.
static inline __attribute__((always_inline)) void cs_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
