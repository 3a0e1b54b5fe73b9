// Steps on whole vectors whose Swift forms are loops over the lanes, which the compiler does not always put
// together again: it was seen to split a fused multiply–add in four and to shift masks bit by bit.
#ifndef CS_LANES_H
#define CS_LANES_H

#define CS_LANES(n)                                                                                \
  typedef float cs_float##n __attribute__((ext_vector_type(n)));                                   \
  typedef unsigned cs_word##n __attribute__((ext_vector_type(n)));                                 \
  typedef unsigned short cs_half##n __attribute__((ext_vector_type(n)));                           \
                                                                                                   \
  /* a · b + c, fused. */                                                                          \
  static inline __attribute__((always_inline)) cs_float##n cs_fma##n(                              \
      cs_float##n a, cs_float##n b, cs_float##n c) {                                               \
    return __builtin_elementwise_fma(a, b, c);                                                     \
  }                                                                                                \
                                                                                                   \
  /* The square root. */                                                                           \
  static inline __attribute__((always_inline)) cs_float##n cs_root##n(cs_float##n x) {             \
    return __builtin_elementwise_sqrt(x);                                                          \
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
  }                                                                                                \
                                                                                                   \
  /* Reads bfloat16. */                                                                            \
  static inline __attribute__((always_inline)) cs_float##n cs_widen##n(const unsigned short *p) {  \
    cs_half##n half;                                                                               \
    __builtin_memcpy(&half, p, sizeof half);                                                       \
    return (cs_float##n)(__builtin_convertvector(half, cs_word##n) << 16);                         \
  }                                                                                                \
                                                                                                   \
  /* Writes bfloat16, rounded to the nearest, ties to even. */                                     \
  static inline __attribute__((always_inline)) void cs_narrow##n(                                  \
      cs_float##n x, unsigned short *p) {                                                          \
    cs_word##n word = (cs_word##n)x;                                                               \
    cs_half##n half =                                                                              \
        __builtin_convertvector((word + 0x7fff + (word >> 16 & 1)) >> 16, cs_half##n);             \
    __builtin_memcpy(p, &half, sizeof half);                                                       \
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
