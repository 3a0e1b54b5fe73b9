#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>

/// Whether this processor, and the operating system on it, can run AVX2 and FMA code.
bool cs_has_avx2_fma(void);

/// Whether this processor, and the operating system on it, can run AVX-512 F, BW, VL and DQ code.
bool cs_has_avx512(void);

/// The kernels of an instruction set, written to room for a `KernelTable`. Each function is Swift,
/// in the target of that set. Declared here, so that Tensor and all above it are compiled beside
/// those targets and not after them.
void cs_baseline_kernels(void *_Nonnull table);
void cs_avx2_kernels(void *_Nonnull table);
void cs_avx512_kernels(void *_Nonnull table);

/// Tells the processor that a loop waits for another core.
static inline __attribute__((always_inline)) void cs_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
