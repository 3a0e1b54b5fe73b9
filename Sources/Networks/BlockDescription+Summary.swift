import Tensor

extension BlockDescription {
  /// The block in a few words: `k5 m144 g2 se24 hswish s2 +x`.
  package var summary: String {
    var words: [String]
    var after = Activation.none
    switch kind {
    case .skip:
      return keepsShape ? "identity" : "1x1 relu" + (stride > 1 ? " s\(stride)" : "")
    case .convolution(let kernel, let padding, let activation):
      words = ["\(kernel)x\(kernel)"] + (padding.map { ["p\($0)"] } ?? [])
      after = activation
    case .pool(let middle, _, let activation):
      words = ["m\(middle)", "mean", "1x1"]
      after = activation
    case .bottleneck(let block), .fused(let block):
      words = ["k" + block.kernels.map { "\($0)" }.joined(separator: ",")]
      if case .fused = kind { words.insert("fused", at: 0) }
      if block.expands { words.append("m\(block.middle)") }
      if block.groups > 1 { words.append("g\(block.groups)") }
      if let groups = block.depthwiseGroups { words.append("dg\(groups)") }
      if let squeeze = block.squeeze { words.append("se\(squeeze.channels)") }
      if let padding = block.padding { words.append("p\(padding)") }
      after = block.activation
    }
    if after != .none { words.append("\(after)") }
    if stride > 1 { words.append("s\(stride)") }
    if isResidual { words.append("+x") }
    return words.joined(separator: " ")
  }
}
