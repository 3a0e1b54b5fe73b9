/// The file `exports/architecture.json`: the chosen architecture, and others sampled from
/// softmax(θ).
struct ArchitectureExport: Codable {
  /// One architecture, its price, and how it does with the supernet's weights.
  struct Entry: Codable {
    var source: String
    var blocks: [String]
    var flops: Double
    var params: Double
    /// Milliseconds by the latency table; nil without one.
    var latency: Double?
    /// On the validation images after batch-norm recalibration, 0…1.
    var validationAccuracy: Double
    /// The same under its earlier name, for scripts that read it; nil but in a random search.
    var thetaAccuracy: Double?

    enum CodingKeys: String, CodingKey {
      case source, blocks, flops, params
      case latency = "latency_ms"
      case validationAccuracy = "val_accuracy"
      case thetaAccuracy = "theta_accuracy"
    }
  }

  var format = 1
  var layers: [String]
  var architectures: [Entry]
}
