import Runs

/// How fast training goes, and so when it will end; pauses never enter it.
struct Pace {
  private var secondsPerStep: [Phase: Double] = [:]
  private var secondsPerValidation: Double?
  /// Smoothed images a second, 0 until the second step (the first one warms caches and says
  /// little).
  private(set) var imagesPerSecond = 0.0
  private var steps = 0

  /// Takes in a step of `images` images that took `seconds`.
  mutating func step(_ phase: Phase, seconds: Double, images: Int) {
    steps += 1
    guard steps > 1, seconds > 0 else { return }
    // The process was stopped by Ctrl-Z, or the machine slept: says nothing of the pace.
    if let usual = secondsPerStep[phase], seconds > 20 * usual + 1 { return }
    secondsPerStep[phase] = smoothed(secondsPerStep[phase], seconds)
    let rate = Double(images) / seconds
    imagesPerSecond = imagesPerSecond == 0 ? rate : smoothed(imagesPerSecond, rate)
  }

  /// Takes in the `seconds` of the evaluation at the end of an epoch.
  mutating func validation(seconds: Double) {
    secondsPerValidation = smoothed(secondsPerValidation, seconds)
  }

  /// Seconds that the given work still takes; nil until a step of weights was timed.
  ///
  /// A θ step not yet timed counts as a step of weights, a validation not yet timed as nothing.
  func remaining(weights: Int, theta: Int, validations: Int) -> Double? {
    guard let weight = secondsPerStep[.weights] ?? secondsPerStep[.theta] else { return nil }
    return Double(weights) * weight + Double(theta) * (secondsPerStep[.theta] ?? weight)
      + Double(validations) * (secondsPerValidation ?? 0)
  }

  private func smoothed(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return old + 0.1 * (new - old)
  }
}
