import Kernels

/// The kernels for AVX2 and FMA.
package func avx2Kernels() -> KernelTable {
  KernelTable(AVX2Lanes.self, name: "avx2")
}
