import Networks
import Runs

extension FirstValues {
  /// The rule of the initialiser that the word stands for.
  package var fanOut: Initialiser.FanOut {
    switch self {
    case .groupFanOut: .ofGroup
    case .layerFanOut: .ofLayer
    }
  }
}
