import Tensor

extension NetworkDescription {
  /// Weights of this network with its channels in the order of their importance, the greatest
  /// first; with them the network computes what it did.
  ///
  /// Masks keep the first channels of a width, so these should be the ones that matter: a channel
  /// counts by the L1 norm of the weights that read it (Cai et al., *Once-for-All*, ICLR 2020).
  /// Channels that shortcuts join are moved together. Arrays that are missing are passed over, and
  /// the channels behind the last convolution stay.
  ///
  /// - Parameter arrays: by the names that they have in a `Network`, of blocks that a space of
  ///   masked blocks can hold.
  /// - Returns: the same arrays in the same order, their elements moved.
  package func orderedByImportance(_ arrays: [NamedArray]) -> [NamedArray] {
    let places = Dictionary(
      arrays.enumerated().map { ($1.name, $0) },
      uniquingKeysWith: { first, _ in first }
    )
    var arrays = arrays
    for channels in channelSets {
      let reading = channels.reading.compactMap { places[$0] }
      let writing = channels.writing.compactMap { places[$0] }
      guard let count = reading.first.map({ arrays[$0].shape.dropLast().last ?? 1 }),
        reading.allSatisfy({ arrays[$0].shape.dropLast().last == count }),
        writing.allSatisfy({ arrays[$0].shape.last == count })
      else { continue }
      var importance = [Float](repeating: 0, count: count)
      for place in reading {
        let inner = arrays[place].shape.last ?? 1
        for (i, value) in arrays[place].values.enumerated() {
          importance[i / inner % count] += abs(value)
        }
      }
      // Equals stay as they are.
      let order = importance.indices.sorted {
        (importance[$0], $1) > (importance[$1], $0)
      }
      for place in reading { arrays[place].move(order, inner: arrays[place].shape.last ?? 1) }
      for place in writing { arrays[place].move(order, inner: 1) }
    }
    return arrays
  }

  /// Channels that have one order, and the arrays that have them.
  private struct ChannelSet {
    /// Arrays whose last side they are.
    var writing: [String] = []
    /// Arrays whose last side but one they are.
    var reading: [String] = []

    /// Takes in a convolution that computes them, with its batch-norm.
    mutating func write(_ name: String) {
      writing += ["weight", "gamma", "beta", "mean", "variance"].map { "\(name).\($0)" }
    }
  }

  /// The widths between the blocks, and the middles of blocks that expand.
  private var channelSets: [ChannelSet] {
    var sets: [ChannelSet] = []
    var width = ChannelSet()
    for (index, block) in blocks.enumerated() {
      let name = Network.name(of: index, in: self)
      let convolution: String
      switch block.kind {
      case .bottleneck: convolution = ""
      case .convolution: convolution = name
      case .pool: convolution = "\(name).expand"
      case .skip where !block.keepsShape: convolution = "\(name).project"
      case .skip, .fused: continue
      }
      guard case .bottleneck(let middle) = block.kind else {
        if index > 0 {
          width.reading.append("\(convolution).weight")
          sets.append(width)
        }
        width = ChannelSet()
        width.write(convolution)
        continue
      }
      var inner = width
      if middle.expands {
        width.reading.append("\(name).expand.weight")
        inner = ChannelSet()
        inner.write("\(name).expand")
      }
      inner.write("\(name).depthwise")
      if middle.kernels.count > 1 { inner.write("\(name).depthwise2") }
      inner.reading += ["\(name).squeeze.reduce.weight", "\(name).project.weight"]
      inner.writing += ["\(name).squeeze.restore.weight", "\(name).squeeze.restore.bias"]
      if middle.expands { sets.append(inner) } else { width = inner }
      if !block.isResidual {
        sets.append(width)
        width = ChannelSet()
      }
      width.write("\(name).project")
    }
    return sets
  }
}

extension NamedArray {
  /// Brings the channels of a side into `order`; `inner` elements follow one another in each.
  fileprivate mutating func move(_ order: [Int], inner: Int) {
    let old = values
    let count = order.count * inner
    for start in stride(from: 0, to: old.count, by: max(1, count)) {
      for (place, channel) in order.enumerated() {
        for i in 0..<inner { values[start + place * inner + i] = old[start + channel * inner + i] }
      }
    }
  }
}
