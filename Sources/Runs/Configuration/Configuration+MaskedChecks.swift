extension Configuration.Space.Masked {
  /// Product of the strides of the stem and of all stages.
  func totalStride(stem: Int) -> Int { stages.reduce(stem) { $0 * $1.stride } }
}

extension Origin {
  /// Checks how the parts of a space of masked blocks fit together.
  func checkMasked(_ masked: Configuration.Space.Masked, _ config: Configuration) throws {
    let path = "space.masked"
    for (key, widths, place, whole) in [
      ("stem", masked.stemWidths, "stem.width", config.space.stem.width),
      ("head", masked.headWidths, "head", config.space.head),
    ] {
      if let widest = widths.last, widest != whole {
        throw error(
          "\(path).\(key)_widths",
          "ends with \(widest), but the \(key) has \(whole) channels",
          remedy: "make the last one space.\(place)"
        )
      }
    }
    for (key, widths) in [
      ("stem_widths", masked.stemWidths), ("head_widths", masked.headWidths),
      ("pool_widths", masked.poolWidths),
    ] { try check(widths.count, at: "\(path).\(key)") }
    if masked.stemKernel % 2 == 0 {
      throw error("\(path).stem_kernel", "0 is no kernel", remedy: "give 3")
    }
    if masked.poolBias, masked.poolWidths.isEmpty {
      throw error(
        "\(path).pool_bias",
        "there is no 1x1 convolution behind the mean",
        remedy: "give pool_widths, or set pool_bias to false"
      )
    }
    try checkResolutions(masked, config)
    for (index, stage) in masked.stages.enumerated() {
      try check(stage, at: "\(path).stages[\(index)]")
    }
    try checkBorders(masked, config)
    if config.search.sampling == .sample {
      throw error(
        "search.sampling",
        "is sample, but a mask is shared by all images of a step",
        remedy: "set search.sampling to batch"
      )
    }
    if config.weights.candidateValues == .aligned {
      throw error(
        "weights.candidate_values",
        "is aligned, but the options of masked blocks share all their values",
        remedy: "set weights.candidate_values to independent"
      )
    }
    let counts = [
      masked.stemWidths.count, masked.headWidths.count, masked.poolWidths.count,
      masked.resolutions.count,
    ]
    if !counts.contains(where: { $0 > 1 }), !masked.stages.contains(where: \.hasChoice) {
      throw error(path, "leaves nothing to choose", remedy: "give a list more than one option")
    }
  }

  private func checkResolutions(
    _ masked: Configuration.Space.Masked,
    _ config: Configuration
  ) throws {
    let path = "space.masked.resolutions"
    guard let largest = masked.resolutions.last else { return }
    try check(masked.resolutions.count, at: path)
    if largest != config.data.resolution {
      throw error(
        path,
        "ends with \(largest), but the images have \(config.data.resolution) pixels a side",
        remedy: "make the last one data.resolution"
      )
    }
    let stride = masked.totalStride(stem: config.space.stem.stride)
    if let odd = masked.resolutions.first(where: { $0 % stride != 0 }) {
      throw error(
        path,
        "\(odd) does not divide by \(stride), the product of all strides",
        remedy: "give multiples of \(stride)"
      )
    }
  }

  private func check(_ stage: Configuration.Space.Masked.Stage, at path: String) throws {
    if let even = stage.kernels.first(where: { $0 % 2 == 0 || $0 > 31 }) {
      throw error("\(path).kernels", "\(even) is no odd side up to 31", remedy: "give 3, 5 or 7")
    }
    try check(stage.widths.count, at: "\(path).widths")
    try check(stage.expansions.count, at: "\(path).expansions")
    if !stage.expand, stage.expansions != [1] {
      throw error(
        "\(path).expansions",
        "nothing expands where expand is false",
        remedy: "give [1], or set expand to true"
      )
    }
    if stage.convolution ?? false, !stage.isPlain {
      throw error(
        "\(path).convolution",
        "a plain convolution has one kernel and activation, and nothing else to choose or to add",
        remedy: "set expand to false and leave squeeze, skip, second_kernel and zero_gamma out"
      )
    }
    if stage.skip, stage.depth == 1, !stage.widths.isEmpty || stage.stride > 1 {
      throw error(
        "\(path).skip",
        "the only block changes the shape and cannot be left out",
        remedy: "give the stage a depth of 2 or more, or set skip to false"
      )
    }
  }
}

extension Origin {
  private func check(_ options: Int, at path: String) throws {
    let most = Configuration.Space.Masked.mostOptions
    guard options > most else { return }
    throw error(path, "\(options) options", remedy: "give \(most) at most")
  }

  /// Checks the maps behind borders of another width than half a kernel.
  private func checkBorders(
    _ masked: Configuration.Space.Masked,
    _ config: Configuration
  ) throws {
    func behind(_ side: Int, _ stride: Int) -> Int { (side - 1) / stride + 1 }
    var side = behind(config.data.resolution, config.space.stem.stride)
    for (index, stage) in masked.stages.enumerated() {
      let before = side
      side = behind(side, stage.stride)
      guard let padding = stage.padding, let kernel = stage.kernels.last else { continue }
      let key = "space.masked.stages[\(index)].padding"
      guard stage.kernels.count == 1 else {
        throw error(
          key,
          "one border for several kernels",
          remedy: "leave it out, or give one kernel"
        )
      }
      guard padding != kernel / 2 else { continue }
      guard masked.resolutions.count < 2 else {
        throw error(
          key,
          "a border of \(padding) moves the pixels that resolutions share",
          remedy: "leave it out, or give one resolution"
        )
      }
      guard !stage.widths.isEmpty || stage.stride > 1 else {
        throw error(
          key,
          "a border of \(padding) leaves a map that no shortcut fits",
          remedy: "leave it out, or give the stage widths"
        )
      }
      let room = before + 2 * padding - kernel
      guard room >= 0 else {
        throw error(
          key,
          "a kernel of \(kernel) does not fit on a map of \(before)x\(before)",
          remedy: "raise data.resolution or the border"
        )
      }
      side = room / stage.stride + 1
    }
  }
}

extension Configuration.Space.Masked {
  /// Options of one choice: an architecture's name has a digit in base 36 for each.
  fileprivate static let mostOptions = 36
}

extension Configuration.Space.Masked.Stage {
  /// Whether it asks for nothing that a plain convolution does not have.
  fileprivate var isPlain: Bool {
    !expand && !skip && kernels.count == 1 && activations.count == 1 && squeeze == [.none]
      && secondKernel ?? 0 == 0 && zeroGamma != true
  }

  /// Whether any of its lists has more than one option.
  fileprivate var hasChoice: Bool {
    skip
      || [widths.count, expansions.count, kernels.count, squeeze.count, activations.count]
        .contains { $0 > 1 }
  }
}
