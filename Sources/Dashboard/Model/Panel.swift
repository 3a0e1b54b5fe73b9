/// A panel of the dashboard.
enum Panel: Sendable, Equatable {
  case loss, accuracy, cost, temperature
  /// The learning rate, and what is trained, in the training of one network.
  case rate, facts
  /// Of a joint search: the best so far, predicted against true, accuracy against cost, the
  /// stages, and the recipes as parallel coordinates.
  case best, scatter, front, stage, axes
  /// Every choice over time; the networks that a search has come to, and the blocks of one.
  case film, networks, blocks
  /// How far the supernet still ranks fixed networks as at the look before.
  case ranks
  /// Images a second over time, and facts of the trainer.
  case throughput, system
}
