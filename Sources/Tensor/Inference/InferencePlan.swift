/// The stages of a network in their order, and the maps that they work between.
struct InferencePlan {
  /// A stage, and where it finds and leaves its maps.
  struct Entry {
    let stage: any InferenceStage
    /// Place of the map that it reads, nil for the image.
    let input: Int?
    /// Place of its result.
    let output: Int
    /// Place of what a shortcut brings, nil without one.
    let shortcut: Int?
    /// Whether the layer ends here.
    let endsLayer: Bool
  }

  private(set) var entries: [Entry] = []
  /// What the last stage gives.
  private(set) var map: InferenceMap
  private var place: Int?
  private let weights: InferenceWeights

  /// Begins with an image [H, W, C].
  init(image shape: [Int], weights: InferenceWeights) {
    map = InferenceMap(image: shape)
    self.weights = weights
  }

  /// How many maps there are at a time.
  var places: Int { (entries.map(\.output).max() ?? 0) + 1 }

  /// Puts a layer behind the others.
  mutating func add(_ layer: InferenceLayer) {
    if layer.isResidual { padImage() }
    let from = place
    var steps = layer.steps[...]
    while let step = steps.first {
      let stage: any InferenceStage
      let next: InferenceMap
      if let core = InvertedCore(takenFrom: &steps) {
        precondition(
          core.project != nil || !layer.isResidual || !steps.isEmpty,
          "inference: a shortcut ends behind a depthwise convolution"
        )
        next = map.convolved(by: core.depthwise).with(channels: core.project?.output)
        stage = ResidualStage(core, from: map, to: next, weights: weights)
      } else {
        steps.removeFirst()
        switch step {
        case .convolution(let convolution):
          next = map.convolved(by: convolution)
          stage = ConvolutionStage(convolution, from: map, to: next, weights: weights)
        case .squeeze(let reduce, let restore):
          next = map.with(channels: nil)
          stage = SqueezeStage(reduce: reduce, restore: restore, of: map, weights: weights)
        }
      }
      add(stage, isLast: steps.isEmpty, shortcut: layer.isResidual ? from : nil)
      map = next
    }
  }

  /// Puts the mean over all pixels at the end, in one with the 1×1 before it if there is one.
  mutating func addMean(behind convolution: FoldedConvolution?) {
    if let convolution {
      add(HeadStage(convolution, from: map, weights: weights), isLast: true, shortcut: nil)
    } else {
      padImage()
      add(MeanStage(map, weights: weights), isLast: false, shortcut: nil)
    }
  }

  /// Copies an image, which is not of whole vectors, to a map that is.
  private mutating func padImage() {
    guard place == nil else { return }
    let identity = FoldedConvolution(shuffling: map.channels, groups: 1)
    let padded = map.convolved(by: identity)
    add(
      ConvolutionStage(identity, from: map, to: padded, weights: weights),
      isLast: false,
      shortcut: nil
    )
    map = padded
  }

  /// - Parameters:
  ///   - stage: comes behind the others.
  ///   - isLast: whether it is the last of its layer, where a shortcut ends.
  ///   - shortcut: place that the layer must leave as it is.
  private mutating func add(_ stage: any InferenceStage, isLast: Bool, shortcut: Int?) {
    let output: Int = [0, 1].first { $0 != place && $0 != shortcut } ?? 2
    entries.append(
      Entry(
        stage: stage,
        input: place,
        output: output,
        shortcut: isLast ? shortcut : nil,
        endsLayer: isLast
      )
    )
    place = output
  }
}
