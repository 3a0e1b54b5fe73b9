import Kernels

/// The kernels for AVX-512 F, BW, VL and DQ.
///
/// `CSystem` declares the function; the linker finds it.
@c(cs_avx512_kernels)
package func avx512Kernels(into table: UnsafeMutableRawPointer) {
  table.initializeMemory(as: KernelTable.self, to: KernelTable(AVX512Lanes.self, name: "avx512"))
}
