import Foundation
import Ranks
import Runs
import Tensor

extension Engine {
  /// The engine that a run's settings ask for; 0 threads mean one for each core that is not
  /// another rank's.
  package static func ofRun(
    threads: Int,
    precision: Configuration.Precision = .float32,
    recompute: Bool = false,
    instructionSet: InstructionSet = .chosen
  ) -> Engine {
    let engine = Engine(
      instructionSet: instructionSet,
      threads: threads > 0
        ? threads
        : max(
          1,
          ProcessInfo.processInfo.activeProcessorCount / Ranks.processesOnThisMachine
        )
    )
    engine.activationPrecision =
      switch precision {
      case .float32: .float32
      case .bf16Activations: .bfloat16
      }
    engine.recomputes = recompute
    return engine
  }
}
