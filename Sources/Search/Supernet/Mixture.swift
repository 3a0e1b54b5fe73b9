import Networks
import Tensor

/// How a choice mixes its options: weights m of spec S5, [k] or [N, k], on the tape of whoever uses
/// it, and values that replace them forward.
package typealias Mixture = MaskedBlock.Mixture

extension Mixture {
  /// One of `count` options with the whole weight.
  static func alone(_ option: Int, of count: Int, on engine: Engine) -> Mixture {
    let weights = (0..<count).map { $0 == option ? Float(1) : 0 }
    return Mixture(weights: engine.tensor(weights, shape: [count]))
  }

  /// Rows of `weights`: 1, or one for each sample of a step.
  var samples: Int { weights.count / weights.channels }

  /// The options that have a share in the result or whose weight gets a gradient other than 0.
  ///
  /// Those that are banned are not among them, nor, where a sample is one network and θ is not
  /// trained, those that were not sampled. A softmax of 0 passes nothing on to θ, whatever the
  /// option would have given.
  var needed: [Int] {
    let k = weights.channels
    let soft = weights.values
    let values = forward ?? soft
    return (0..<k).filter { option in
      stride(from: option, to: weights.count, by: k).contains {
        values[$0] != 0 || weights.requiresGradient && soft[$0] != 0
      }
    }
  }
}
