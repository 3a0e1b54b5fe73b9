import Kernels

/// The kernels that every machine runs: SSE on x86-64, NEON on arm64.
package func baselineKernels() -> KernelTable {
  KernelTable(BaselineLanes.self, name: "baseline")
}
