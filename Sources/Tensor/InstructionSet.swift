import CSystem
import Kernels

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

  /// The environment variable that names a set.
  package static let variable = "SUPERTOP_ISA"

  /// What the variable holds; nil where it is unset or empty.
  package static var named: String? {
    getenv(variable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The set that the variable names, or the best that this machine has.
  ///
  /// The command line refuses a name that is unknown or that the machine cannot run; elsewhere it
  /// counts for nothing.
  package static var chosen: InstructionSet {
    named.flatMap { InstructionSet(rawValue: $0) }.flatMap { available.contains($0) ? $0 : nil }
      ?? best(of: available)
  }

  var kernels: KernelTable {
    let table = UnsafeMutablePointer<KernelTable>.allocate(capacity: 1)
    defer { table.deallocate() }
    switch self {
    case .baseline: cs_baseline_kernels(table)
    case .avx2: cs_avx2_kernels(table)
    case .avx512: cs_avx512_kernels(table)
    }
    return table.move()
  }
}
