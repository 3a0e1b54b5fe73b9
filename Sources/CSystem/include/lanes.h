// Fused multiply–add of whole vectors, a · b + c. Swift's `addingProduct` is a loop over the lanes that the
// compiler does not always put together again.
#ifndef CS_LANES_H
#define CS_LANES_H

typedef float cs_float8 __attribute__((ext_vector_type(8)));
typedef float cs_float16 __attribute__((ext_vector_type(16)));

static inline __attribute__((always_inline)) cs_float8 cs_fma8(
    cs_float8 a, cs_float8 b, cs_float8 c) {
  return __builtin_elementwise_fma(a, b, c);
}

static inline __attribute__((always_inline)) cs_float16 cs_fma16(
    cs_float16 a, cs_float16 b, cs_float16 c) {
  return __builtin_elementwise_fma(a, b, c);
}

#endif
