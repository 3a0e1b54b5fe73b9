import Kernels

/// The kernels for AVX2 and FMA.
///
/// `CSystem` declares the function; the linker finds it.
@c(cs_avx2_kernels)
package func avx2Kernels(into table: UnsafeMutableRawPointer) {
  table.initializeMemory(as: KernelTable.self, to: KernelTable(AVX2Lanes.self, name: "avx2"))
}
