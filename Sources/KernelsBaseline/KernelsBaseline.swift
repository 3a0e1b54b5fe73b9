import Kernels

/// The kernels that every machine runs: SSE on x86-64, NEON on arm64.
///
/// `CSystem` declares the function; the linker finds it.
@c(cs_baseline_kernels)
package func baselineKernels(into table: UnsafeMutableRawPointer) {
  table.initializeMemory(
    as: KernelTable.self,
    to: KernelTable(BaselineLanes.self, name: "baseline")
  )
}
