/// How the first weights of a convolution are sampled: normal around 0 with deviation √(2 /
/// fan-out).
///
/// K×K convolutions of g groups (a depthwise one has a group for each channel) and D outputs in
/// all. The classifier starts with a deviation of 0.01, biases at 0, batch-norms at scale 1 and
/// shift 0.
package enum FirstValues: String, Codable, Sendable, CaseIterable {
  /// Fan-out K²·D/g, as timm has it.
  case groupFanOut = "group-fan-out"
  /// Fan-out K²·D whatever the groups, as torchvision's `kaiming_normal_` has it.
  case layerFanOut = "layer-fan-out"
}

/// What the first weights of a layer's candidates have in common.
package enum CandidateValues: String, Codable, Sendable, CaseIterable {
  /// Nothing.
  case independent
  /// They are slices of one block, so that what follows the layer sees similar features whichever
  /// candidate it is.
  case aligned
}
