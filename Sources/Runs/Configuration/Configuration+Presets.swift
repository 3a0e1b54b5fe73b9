extension Configuration {
  /// Names that `preset(_:)` knows, smallest network first.
  package static let presetNames = [
    "digits", "cifar-small", "cifar", "imagenet", "fbnet-v2-digits", "fbnet-v2-cifar",
    "fbnet-v2-p", "fbnet-v2-f",
  ]

  /// The nine blocks of FBNetV1 in the order of its table 2 (spec S3).
  package static let candidates = [
    "k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip",
  ].compactMap(Space.Candidate.init(named:))

  /// A complete configuration by name (spec S2); an unknown name is a configuration error.
  package static func preset(_ name: String) throws -> Configuration {
    switch name {
    case "digits": digits
    case "cifar-small": cifarSmall
    case "cifar": cifar
    case "imagenet": imagenet
    case "fbnet-v2-digits":
      masked(name, from: digits, stems: [8, 12, 16], sides: [6, 8], digitsStages)
    case "fbnet-v2-cifar": masked(name, from: cifar, stems: [16], sides: [24, 32], cifarStages)
    case "fbnet-v2-p": masked(name, from: imagenet, stems: [16], sides: [224, 256, 288], stagesP)
    case "fbnet-v2-f":
      masked(name, from: imagenet, stems: [16], sides: [128, 160, 192, 224], stagesF)
    default:
      throw UserError(
        .configuration,
        "preset",
        "unknown preset \(name)",
        remedy: "known are " + presetNames.joined(separator: ", ")
      )
    }
  }

  /// Six searched layers on 8×8 grey images: a whole search in about a minute.
  private static var digits: Configuration {
    var it = common(
      preset: "digits",
      data: DataSettings(
        source: "digits",
        resolution: 8,
        shift: 1,
        flip: false,
        skipBadImages: false,
        cache: ""
      ),
      stages: [(16, 1, 1), (24, 2, 1), (32, 2, 2), (48, 1, 1)],
      head: 128
    )
    it.search.epochs = 30
    it.search.warmupEpochs = warmup(of: 30)
    it.search.batch = 32
    it.search.recalibrationImages = 512
    // 5.0 falls to 0.15 in the last of 30 epochs.
    it.temperature.rate = 0.12
    return it
  }

  /// Eight searched layers for 32×32 images.
  private static var cifarSmall: Configuration {
    common(
      preset: "cifar-small",
      data: cifarData,
      stages: [(16, 1, 1), (24, 2, 2), (32, 2, 2), (64, 2, 2), (112, 1, 1)],
      head: 256
    )
  }

  /// The 22 searched layers of FBNet's table 1 with strides for 32×32 images.
  private static var cifar: Configuration {
    common(
      preset: "cifar",
      data: cifarData,
      stages: [
        (16, 1, 1), (24, 4, 1), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1),
      ],
      head: 1504
    )
  }

  /// FBNet's table 1 at 224×224.
  private static var imagenet: Configuration {
    var it = common(
      preset: "imagenet",
      data: DataSettings(
        source: "imagenet",
        resolution: 224,
        shift: 16,
        flip: true,
        skipBadImages: false,
        cache: ""
      ),
      stages: [
        (16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1),
      ],
      head: 1984
    )
    it.space.stem.stride = 2
    it.search.batch = 32
    it.search.recalibrationImages = 512
    return it
  }

  private static var cifarData: DataSettings {
    DataSettings(
      source: "cifar10:cifar-10-batches-bin",
      resolution: 32,
      shift: 4,
      flip: true,
      skipBadImages: false,
      cache: ""
    )
  }

  /// Epochs of weights alone: 10 of the paper's 90, in proportion for another number (spec S9).
  private static func warmup(of epochs: Int) -> Int { epochs * 10 / 90 }

  /// The settings that specification lines S5, S8, S9 and S10 name as defaults.
  private static func common(
    preset: String,
    data: DataSettings,
    stages: [(width: Int, depth: Int, stride: Int)],
    head: Int
  ) -> Configuration {
    Configuration(
      preset: preset,
      seed: 1,
      threads: 0,
      shards: 1,
      precision: .float32,
      recompute: false,
      data: data,
      space: Space(
        stem: Space.Stem(width: 16, stride: 1),
        stages: stages.map { Space.Stage(width: $0.width, depth: $0.depth, stride: $0.stride) },
        head: head,
        candidates: candidates
      ),
      search: SearchSettings(
        algorithm: .dnas,
        epochs: 90,
        batch: 64,
        warmupEpochs: warmup(of: 90),
        thetaShare: 0.2,
        validationShare: 0.1,
        sampling: .sample,
        hard: false,
        paths: .all,
        drawnPaths: 3,
        thetaPaths: .all,
        pruneBelow: 0,
        pruneAfter: 3,
        cost: .flops,
        recalibrationImages: 2048,
        randomNetworks: 20,
        rankedNetworks: 8
      ),
      budget: Budget(),
      latency: LatencySettings(table: "", threads: 0),
      weights: WeightSettings(
        learningRate: 0.1,
        momentum: 0.9,
        weightDecay: 1e-4,
        firstValues: .layerFanOut,
        candidateValues: .independent,
        labelSmoothing: 0
      ),
      theta: ThetaSettings(
        learningRate: .automatic,
        beta1: 0.9,
        beta2: 0.999,
        weightDecay: 5e-4,
        initial: .uniform
      ),
      temperature: TemperatureSchedule(form: .exponential, start: 5, rate: 0.045, end: 0.05),
      loss: LossSettings(form: .log, multiplier: .learned, alpha: 0.2, beta: 0.6, band: 0.01)
    )
  }
}
