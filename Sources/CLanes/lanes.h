// Steps on whole vectors whose Swift forms are loops over the lanes, which the compiler does not
// always put together again: it was seen to split a fused multiply–add in four and to shift masks bit by bit.
#ifndef CLANES_H
#define CLANES_H

#define CS_LANES(n)                                                                                \
  typedef float cs_float##n __attribute__((ext_vector_type(n)));                                   \
  typedef unsigned cs_word##n __attribute__((ext_vector_type(n)));                                 \
  typedef unsigned short cs_half##n __attribute__((ext_vector_type(n)));                           \
  typedef _Bool cs_flags##n __attribute__((ext_vector_type(n)));                                   \
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
  }                                                                                                \
                                                                                                   \
  /* The lanes that are not 0, the first in the lowest bit. */                                     \
  static inline __attribute__((always_inline)) unsigned long long cs_nonzeros##n(cs_float##n x) {  \
    cs_flags##n flags = __builtin_convertvector(x != 0, cs_flags##n);                              \
    unsigned short bits = 0;                                                                       \
    __builtin_memcpy(&bits, &flags, sizeof flags);                                                 \
    return bits;                                                                                   \
  }                                                                                                \
                                                                                                   \
  /* For each column the rows, up to 64, in which it is not 0, the first in the lowest bit. */     \
  static inline __attribute__((always_inline)) void cs_mark_columns##n(                            \
      const float *p, long rows, long stride, unsigned long long *marks) {                         \
    cs_word##n words[2] = {0, 0};                                                                  \
    for (long r = 0; r < rows; r++) {                                                              \
      cs_float##n x;                                                                               \
      __builtin_memcpy(&x, p + r * stride, sizeof x);                                              \
      cs_word##n bit = (cs_word##n)(x != 0) & 1u << r % 32;                                        \
      if (r < 32) words[0] |= bit;                                                                 \
      else words[1] |= bit;                                                                        \
    }                                                                                              \
    for (int c = 0; c < n; c++) marks[c] = words[0][c] | (unsigned long long)words[1][c] << 32;    \
  }

CS_LANES(4)
CS_LANES(8)
CS_LANES(16)

#undef CS_LANES

// Writes the columns of a square of 16 rows as rows; rows are `stride` floats apart, and `to_stride`.
//
// Four times the rows of both halves are interleaved, which is one step of a perfect shuffle each.
static inline __attribute__((always_inline)) void cs_transpose16(
    const float *from, long stride, float *to, long to_stride) {
  cs_float16 a[16], b[16];
  for (int r = 0; r < 16; r++) __builtin_memcpy(&a[r], from + r * stride, sizeof a[r]);
  for (int step = 0; step < 4; step++) {
    for (int r = 0; r < 8; r++) {
      b[2 * r] = __builtin_shufflevector(
          a[r], a[r + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * r + 1] = __builtin_shufflevector(
          a[r], a[r + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int r = 0; r < 16; r++) a[r] = b[r];
  }
  for (int r = 0; r < 16; r++) __builtin_memcpy(to + r * to_stride, &a[r], sizeof a[r]);
}

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
