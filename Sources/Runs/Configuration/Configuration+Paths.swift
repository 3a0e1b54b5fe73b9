extension Configuration.SearchSettings {
  /// Which candidates of a layer a step on the weights computes.
  package enum Paths: String, Codable, Sendable, CaseIterable {
    /// All, mixed.
    case all
    /// Some, drawn for each shard and mixed: each as often as any other in the warm-up, then by
    /// softmax(θ).
    case drawn
  }

  /// Which candidates of a layer a step on θ computes.
  package enum ThetaPaths: String, Codable, Sendable, CaseIterable {
    /// All.
    case all
    /// Two, drawn by softmax(θ) for each shard (ProxylessNAS section 3.2.1).
    case two
  }
}
