/// The stages of the presets that search masked blocks.
extension Configuration {
  private typealias Stage = Space.Masked.Stage

  /// A space of masked blocks with the data, the schedule and the head of `base`.
  ///
  /// The masks of a step are shared by all its images, so its mixtures are too.
  static func masked(
    _ preset: String,
    from base: Configuration,
    stems: [Int],
    sides: [Int],
    _ stages: [Space.Masked.Stage]
  ) -> Configuration {
    var it = base
    it.preset = preset
    it.space = Space(
      stem: Space.Stem(width: stems[stems.count - 1], stride: base.space.stem.stride),
      head: base.space.head,
      masked: Space.Masked(
        stemWidths: stems.count > 1 ? stems : [],
        resolutions: sides,
        stages: stages
      )
    )
    it.search.sampling = .batch
    it.data.resolution = sides[sides.count - 1]
    return it
  }

  /// Six blocks on 8×8 grey images; ours.
  static var digitsStages: [Space.Masked.Stage] {
    [
      Stage(widths: [8, 12, 16], expansions: [1, 2, 3], kernels: [3, 5]),
      Stage(
        widths: [8, 12, 16, 20, 24],
        depth: 2,
        expansions: [0.75, 1.5, 3, 4.5],
        kernels: [3, 5],
        activations: [.relu, .hswish],
        skip: true
      ),
      Stage(
        widths: [16, 20, 24, 28, 32, 40, 48],
        depth: 3,
        stride: 2,
        expansions: [0.75, 1.5, 3, 4.5],
        kernels: [3, 5],
        squeeze: [.none, .se],
        activations: [.relu, .hswish],
        skip: true
      ),
    ]
  }

  /// Blocks for 32×32 images with 14 widths a stage; ours.
  static var cifarStages: [Space.Masked.Stage] {
    [
      stage(6, 32, 2, depth: 1, stride: 1, expansions: [1]),
      stage(16, 68, 4, depth: 3, stride: 1),
      stage(24, 128, 8, depth: 3, stride: 2),
      stage(48, 152, 8, depth: 3, stride: 2),
      stage(96, 200, 8, depth: 2, stride: 2),
    ]
  }

  /// FBNetV2-P as third parties report it: widths, expansions, depths and images of up to 288×288;
  /// the other sides are ours.
  static var stagesP: [Space.Masked.Stage] {
    [
      stage(12, 16, 4, depth: 1, stride: 1, expansions: [1]),
      stage(16, 28, 4, depth: 3, stride: 2),
      stage(16, 40, 8, depth: 3, stride: 2),
      stage(48, 96, 8, depth: 3, stride: 2),
      stage(72, 128, 8, depth: 4, stride: 1),
      stage(112, 216, 8, depth: 4, stride: 2),
    ]
  }

  /// A space round the published FBNetV2-F networks; the ranges are ours, for none were published.
  static var stagesF: [Space.Masked.Stage] {
    [
      stage(8, 16, 4, depth: 1, stride: 1, expansions: [1]),
      stage(16, 28, 4, depth: 3, stride: 2),
      stage(16, 40, 8, depth: 4, stride: 2),
      stage(40, 72, 8, depth: 4, stride: 2),
      stage(64, 112, 8, depth: 4, stride: 1),
      stage(112, 184, 8, depth: 4, stride: 2),
      stage(192, 224, 16, depth: 1, stride: 1),
    ]
  }

  /// A stage with evenly spaced widths and all choices of FBNetV2.
  private static func stage(
    _ least: Int,
    _ most: Int,
    _ step: Int,
    depth: Int,
    stride: Int,
    expansions: [Double] = [0.75, 1.5, 2.25, 3, 3.75, 4.5]
  ) -> Stage {
    Stage(
      widths: Array(Swift.stride(from: least, through: most, by: step)),
      depth: depth,
      stride: stride,
      expansions: expansions,
      kernels: [3, 5],
      squeeze: [.none, .se],
      activations: [.relu, .hswish],
      skip: depth > 1
    )
  }
}
