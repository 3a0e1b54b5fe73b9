import CSystem
import Kernels
import KernelsAVX2
import KernelsAVX512
import KernelsBaseline

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The instruction sets that kernels exist for.
package enum InstructionSet: String, CaseIterable, Sendable {
  case baseline, avx2, avx512

  /// What this processor can run.
  package static var available: Set<InstructionSet> {
    var sets: Set<InstructionSet> = [.baseline]
    if cs_has_avx2_fma() { sets.insert(.avx2) }
    if cs_has_avx512() { sets.insert(.avx512) }
    return sets
  }

  /// The widest of `sets`; a pure function, so a test can ask what another machine would get.
  package static func best(of sets: Set<InstructionSet>) -> InstructionSet {
    sets.contains(.avx512) ? .avx512 : sets.contains(.avx2) ? .avx2 : .baseline
  }

  /// The set named by the environment variable `SUPERTOP_ISA`, or the best that this machine has.
  ///
  /// A name that is unknown or that the machine cannot run is ignored.
  package static var chosen: InstructionSet {
    if let name = getenv("SUPERTOP_ISA"), let set = InstructionSet(rawValue: String(cString: name)),
      available.contains(set)
    {
      return set
    }
    return best(of: available)
  }

  var kernels: KernelTable {
    switch self {
    case .baseline: baselineKernels()
    case .avx2: avx2Kernels()
    case .avx512: avx512Kernels()
    }
  }
}
