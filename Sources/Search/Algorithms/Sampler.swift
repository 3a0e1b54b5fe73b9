/// An algorithm that gives networks one at a time and learns from what they reach (ask and tell).
///
/// It needs no θ and no mixture, so whoever evaluates is free: a table of results, a supernet's
/// weights, or a training from scratch.
protocol Sampler {
  /// The next network to evaluate, none twice; nil when there are no more.
  mutating func ask() -> Architecture?
  /// Takes what a network that was asked for is worth: more is better, in the evaluator's unit.
  mutating func tell(_ architecture: Architecture, value: Double)
}
