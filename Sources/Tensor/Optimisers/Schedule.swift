#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The cosine learning-rate schedule from `base` to 0 (Loshchilov and Hutter 2017; spec S9).
///
/// - Parameters:
///   - base: rate at step 0.
///   - step: steps done.
///   - steps: steps in all.
/// - Returns: base · (1 + cos(π·step/steps)) / 2.
package func cosineLearningRate(_ base: Double, step: Int, of steps: Int) -> Double {
  guard steps > 0 else { return base }
  return base * 0.5 * (1 + cos(.pi * min(1, Double(step) / Double(steps))))
}
