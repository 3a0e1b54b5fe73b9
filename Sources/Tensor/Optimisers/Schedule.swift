#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The learning rate over a training: a linear warm-up to the peak, then a form.
package struct LearningRateSchedule: Sendable, Equatable {
  /// What follows the warm-up; t is in epochs from its end.
  package enum Form: Sendable, Equatable {
    /// peak.
    case constant
    /// peak·(1 + cos(π·t/T))/2 with T the epochs after the warm-up (Loshchilov and Hutter 2017;
    /// spec S9).
    case cosine
    /// peak·factor^⌊t/every⌋, `every` above 0 epochs.
    case step(every: Double, factor: Double)
    /// peak·factor^t, without steps.
    case exponential(factor: Double)
  }

  /// See `Form`.
  package var form: Form
  /// Rate at the end of the warm-up.
  package var peak: Double
  /// Length of the warm-up; 0 for none.
  package var warmupEpochs: Double

  /// Describes a schedule.
  package init(form: Form, peak: Double, warmupEpochs: Double = 0) {
    self.form = form
    self.peak = peak
    self.warmupEpochs = warmupEpochs
  }

  /// The rate at a moment of the training.
  ///
  /// Within the warm-up it is peak·epoch/warmupEpochs, 0 at the very start; a trainer that counts
  /// steps takes `rate(step:stepsPerEpoch:of:)`.
  ///
  /// - Parameters:
  ///   - epoch: epochs done, with their fraction.
  ///   - epochs: epochs of the whole training, warm-up included.
  /// - Returns: the rate, of the unit of `peak`.
  package func rate(epoch: Double, of epochs: Double) -> Double {
    if epoch < warmupEpochs { return peak * epoch / warmupEpochs }
    let t = epoch - warmupEpochs
    switch form {
    case .constant: return peak
    case .cosine:
      let length = epochs - warmupEpochs
      return length > 0 ? peak * 0.5 * (1 + cos(.pi * min(1, t / length))) : peak
    case .step(let every, let factor):
      // A step that should begin at the boundary does so in spite of rounding.
      return peak * pow(factor, (t / every + 1e-9).rounded(.down))
    case .exponential(let factor): return peak * pow(factor, t)
    }
  }

  /// The rate of a step: in a warm-up of w steps that of step i is peak·(i + 1)/w, so none is 0.
  ///
  /// - Parameters:
  ///   - step: steps done.
  ///   - stepsPerEpoch: steps of an epoch.
  ///   - epochs: epochs of the whole training.
  /// - Returns: the rate, of the unit of `peak`.
  package func rate(step: Int, stepsPerEpoch: Int, of epochs: Double) -> Double {
    let length = Double(max(1, stepsPerEpoch))
    let warmup = warmupEpochs * length
    if Double(step) < warmup { return peak * min(1, Double(step + 1) / warmup) }
    return rate(epoch: Double(step) / length, of: epochs)
  }
}
