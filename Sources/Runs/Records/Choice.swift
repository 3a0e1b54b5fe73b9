/// One searched decision: a layer's block in FBNetV1, later a width or a resolution.
///
/// The dashboard draws choices and knows nothing of the search that made them.
package struct Choice: Codable, Sendable, Equatable {
  /// Short name, unique in the run: `"layer 3"`.
  package var name: String
  /// Where it sits: `"16x16 24→32 s2"`.
  package var detail: String
  /// The candidates, in the order of the logits.
  package var options: [Option]

  /// One candidate of a choice, with its price.
  package struct Option: Codable, Sendable, Equatable {
    /// Candidate name, `"k3_e6"`.
    package var name: String
    /// Multiply-accumulates of one image.
    package var flops: Double
    /// Weights of convolutions and linear layers (no biases, no batch-norm).
    package var params: Double
    /// Milliseconds for one image; nil where no table was at hand.
    package var latency: Double?

    package init(name: String, flops: Double, params: Double, latency: Double? = nil) {
      self.name = name
      self.flops = flops
      self.params = params
      self.latency = latency
    }
  }

  package init(name: String, detail: String, options: [Option]) {
    self.name = name
    self.detail = detail
    self.options = options
  }
}
