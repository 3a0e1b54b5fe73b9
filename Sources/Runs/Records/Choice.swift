/// One decision of a search: a layer's block, a width, a resolution, later a training setting.
///
/// The dashboard draws choices and knows nothing of the search that made them. What an option costs
/// is no part of it, as that may depend on the other choices; see `ChoicePrices`.
package struct Choice: Codable, Sendable, Equatable, Identifiable {
  /// What is decided.
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// Which block a layer gets.
    case `operator`
    /// Output channels.
    case width
    /// Hidden over input channels of a block.
    case expansion
    /// Layers of a stage.
    case depth
    /// Side of the images.
    case resolution
    /// A setting of the training.
    case recipe

    /// Whether the options are sizes of one thing, listed from small to large.
    package var isOrdered: Bool {
      switch self {
      case .width, .expansion, .depth, .resolution: true
      case .operator, .recipe: false
      }
    }
  }

  /// One candidate.
  package struct Option: Codable, Sendable, Equatable {
    /// Name, such as `k3_e6` or `24`.
    package var name: String
    /// The number that it stands for; nil where it is not one.
    package var value: Double?

    package init(name: String, value: Double? = nil) {
      self.name = name
      self.value = value
    }
  }

  /// Unique in the run, and the same in every run of the space: `layer3.operator`.
  package var id: String
  /// Short name for people: `layer 3`.
  package var name: String
  /// Where it sits: `16x16 24→32 s2`.
  package var detail: String
  /// What is decided.
  package var kind: Kind
  /// The part of the network that it belongs to, `stage 2`; empty where there are no parts.
  package var group: String
  /// The candidates, in the order of the logits.
  package var options: [Option]

  /// A choice; without an `id` it goes by its name.
  package init(
    id: String? = nil,
    name: String,
    detail: String,
    kind: Kind = .operator,
    group: String = "",
    options: [Option]
  ) {
    self.id = id ?? name
    self.name = name
    self.detail = detail
    self.kind = kind
    self.group = group
    self.options = options
  }
}

/// What the options of a choice cost.
///
/// Where an option has a price of its own, that; where it depends on the other choices, what the
/// option adds to the cheapest one while the others are at their most probable. The latter move
/// with the search, and are written anew after each epoch.
package struct ChoicePrices: Codable, Sendable, Equatable {
  /// Identity of the choice.
  package var choice: String
  /// Multiply-accumulates of one image, an option each.
  package var flops: [Double]
  /// Weights of convolutions and linear layers, without biases and batch-norm.
  package var params: [Double]
  /// Milliseconds for one image; nil without a latency table.
  package var latency: [Double]?

  package init(choice: String, flops: [Double], params: [Double], latency: [Double]? = nil) {
    self.choice = choice
    self.flops = flops
    self.params = params
    self.latency = latency
  }
}
