/// A network that was evaluated, and what it reached.
struct Trial: Sendable, Equatable {
  /// The network.
  let architecture: Architecture
  /// What it is worth, more being better; an accuracy in the evaluator's unit.
  let value: Double
}

/// An algorithm that gives networks one at a time and learns from what they reach (ask and tell).
///
/// It needs no θ and no mixture, so whoever evaluates is free: a table of results, a supernet's weights, or
/// a training from scratch.
protocol Sampler {
  /// The next network to evaluate, none twice; nil when there are no more.
  mutating func ask() -> Architecture?
  /// Takes what the network that was asked for last has reached.
  mutating func tell(_ trial: Trial)
}
