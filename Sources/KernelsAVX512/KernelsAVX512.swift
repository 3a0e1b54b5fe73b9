import Kernels

/// The kernels for AVX-512 F, BW, VL and DQ.
package func avx512Kernels() -> KernelTable {
  KernelTable(AVX512Lanes.self, name: "avx512")
}
