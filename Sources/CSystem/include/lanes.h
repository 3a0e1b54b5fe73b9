// Steps on whole vectors whose Swift forms are loops over the lanes, which the compiler does not always put
// together again: it was seen to split a fused multiply–add in four and to shift masks bit by bit.
#ifndef CS_LANES_H
#define CS_LANES_H

#define CS_LANES(n)                                                                                \
  typedef float cs_float##n __attribute__((ext_vector_type(n)));                                   \
                                                                                                   \
  /* a · b + c, fused. */                                                                          \
  static inline __attribute__((always_inline)) cs_float##n cs_fma##n(                              \
      cs_float##n a, cs_float##n b, cs_float##n c) {                                               \
    return __builtin_elementwise_fma(a, b, c);                                                     \
  }                                                                                                \
                                                                                                   \
  /* x in the lanes where the condition is above 0, else 0. */                                     \
  static inline __attribute__((always_inline)) cs_float##n cs_keep##n(                             \
      cs_float##n x, cs_float##n condition) {                                                      \
    return condition > 0 ? x : (cs_float##n)0;                                                     \
  }                                                                                                \
                                                                                                   \
  /* x held between two bounds. */                                                                 \
  static inline __attribute__((always_inline)) cs_float##n cs_clamp##n(                            \
      cs_float##n x, float low, float high) {                                                      \
    cs_float##n raised = x < low ? (cs_float##n)low : x;                                           \
    return raised > high ? (cs_float##n)high : raised;                                             \
  }                                                                                                \
                                                                                                   \
  /* Stores x past the caches; p is aligned to the vector. */                                      \
  static inline __attribute__((always_inline)) void cs_stream##n(cs_float##n x, float *p) {        \
    __builtin_nontemporal_store(x, (cs_float##n *)p);                                              \
  }

CS_LANES(4)
CS_LANES(8)
CS_LANES(16)

#undef CS_LANES

// Makes the stores past the caches of this thread visible before anything that follows.
static inline __attribute__((always_inline)) void cs_finish_streams(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

// Brings the line of p into the second-level cache.
static inline __attribute__((always_inline)) void cs_prefetch(const void *p) {
  __builtin_prefetch(p, 0, 2);
}

#endif
