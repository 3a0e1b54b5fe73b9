#include "csystem.h"

#if defined(__x86_64__)
// The builtin asks CPUID and XGETBV, so a kernel that does not save the wide registers counts as no.
bool cs_has_avx2_fma(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool cs_has_avx512(void) {
  __builtin_cpu_init();
  return cs_has_avx2_fma() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}
#else
bool cs_has_avx2_fma(void) { return false; }
bool cs_has_avx512(void) { return false; }
#endif
