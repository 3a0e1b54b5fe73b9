/// How one network is trained (spec S41).
package struct Recipe: Codable, Sendable, Equatable {
  /// What turns gradients into steps.
  package enum Optimiser: String, Codable, Sendable, CaseIterable { case sgd, rmsprop }
  /// How the learning rate falls after the warm-up.
  package enum Schedule: String, Codable, Sendable, CaseIterable {
    case cosine, step, exponential, constant
  }

  /// What turns gradients into steps.
  package var optimiser = Optimiser.sgd
  /// At the end of the warm-up.
  package var learningRate = 0.02
  /// Share of the old velocity that stays; 0 up to, but without, 1.
  package var momentum = 0.9
  /// RMSProp: share of the old mean square that stays.
  package var rmsAlpha = 0.9
  /// RMSProp: added to the root of the mean square.
  package var rmsEpsilon = 0.001
  /// How the learning rate falls after the warm-up.
  package var schedule = Schedule.cosine
  /// Epochs of one step of the step schedule.
  package var stepEpochs = 2.4
  /// Factor of a step, or of an epoch of the exponential schedule.
  package var decayFactor = 0.97
  /// Epochs in which the learning rate rises from 0.
  package var warmupEpochs = 1.0
  /// Added to the gradient, times the weight; not for biases and batch-norms.
  package var weightDecay = 1e-4
  /// How weights that do not come with the network are sampled.
  package var firstValues = FirstValues.layerFanOut
  /// Share of the target spread over all classes.
  package var labelSmoothing = 0.0
  /// α of the Beta distribution that mixup's shares come from; 0 turns it off.
  package var mixup = 0.0
  /// Share of the classifier's inputs set to 0 in a step.
  package var dropout = 0.0
  /// Share of images that skip the last residual block in a step; rises with depth.
  package var dropPath = 0.0
  /// Decay of the moving average of the weights, which is evaluated and exported; 0 turns it off.
  package var ema = 0.0
  /// Share of each class's training images that only evaluate the epochs; 0 leaves that to the test
  /// images.
  package var validationShare = 0.1
  /// Passes over the training images.
  package var epochs = 30
  /// Epochs after which the training ends, as the schedule of all of them has it; 0 for no early
  /// stop (spec S43).
  package var stopEpoch = 0
  /// Images of a step.
  package var batch = 64
  /// Largest shift of the random crop, pixels; 0 turns it off.
  package var shift = 0
  /// Random horizontal flip, where a mirrored image keeps its class.
  package var flip = false
  /// Images for batch-norm recalibration before a validation.
  package var recalibrationImages = 2048

  /// The default recipe, for small data.
  package init() {}

  enum CodingKeys: String, CodingKey {
    case optimiser, momentum, schedule, mixup, dropout, ema, epochs, batch, shift, flip
    case learningRate = "learning_rate"
    case rmsAlpha = "rms_alpha"
    case rmsEpsilon = "rms_epsilon"
    case stepEpochs = "step_epochs"
    case decayFactor = "decay_factor"
    case stopEpoch = "stop_epoch"
    case warmupEpochs = "warmup_epochs"
    case weightDecay = "weight_decay"
    case firstValues = "first_values"
    case labelSmoothing = "label_smoothing"
    case dropPath = "drop_path"
    case validationShare = "validation_share"
    case recalibrationImages = "recalibration_images"
  }
}

extension Recipe {
  /// Passes over the training images that are really made.
  package var trainedEpochs: Int { stopEpoch > 0 ? min(stopEpoch, epochs) : epochs }

  /// What the seven axes of a joint search are at, in a line: `sgd 0.064, decay 0.0001, mixup 0.2`.
  package var summary: String {
    let parts: [(String, Double)] = [
      ("decay", weightDecay), ("mixup", mixup), ("dropout", dropout), ("drop path", dropPath),
      ("ema", ema),
    ]
    return
      (["\(optimiser.rawValue) \(learningRate)"]
      + parts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
  }

  /// The recipe of the file at `path`, which may leave keys out.
  ///
  /// Errors: `.noInput` for a file that cannot be read, `.configuration` for anything wrong in it.
  package static func load(path: String) throws -> Recipe {
    let origin = Origin(prefix: path + ": ", keys: keys)
    guard let node = try origin.parse(try readText(path)), !origin.isNull(node) else {
      return Recipe()
    }
    let recipe = try origin.overlay(node, on: Recipe())
    try origin.checkTogether(recipe)
    return recipe
  }

  /// The recipe with `key=value` overrides, checked as a whole.
  package func applying(_ assignments: [String]) throws -> Recipe {
    var recipe = self
    let said = try recipe.assign(assignments)
    recipe.fitWarmup(from: self, said: said)
    try Origin(prefix: "--set ", keys: Recipe.keys).checkTogether(recipe)
    return recipe
  }

  /// Keeps the share of the epochs that the warm-up had `before`, where fewer epochs were said and
  /// it would outlast them: `--epochs 2` needs no second option.
  mutating func fitWarmup(from before: Recipe, said paths: Set<String>) {
    guard warmupEpochs > Double(epochs), warmupEpochs <= Double(before.epochs),
      !paths.contains(where: { $0.hasSuffix("warmup_epochs") })
    else { return }
    warmupEpochs *= Double(epochs) / Double(before.epochs)
  }

  /// The whole recipe as YAML; `load` gives back an equal value.
  package func yaml() -> String { text() }
}

extension Origin {
  /// Checks what concerns several keys of a recipe at once; `path` leads them.
  func checkTogether(_ recipe: Recipe, at path: String = "") throws {
    if recipe.warmupEpochs > Double(recipe.epochs) {
      throw error(
        path + "warmup_epochs",
        "\(recipe.warmupEpochs) of \(Format.counted(recipe.epochs, "epoch"))",
        remedy: "keep it at or below \(path)epochs"
      )
    }
    if recipe.stopEpoch > recipe.epochs {
      throw error(
        path + "stop_epoch",
        "\(recipe.stopEpoch) of \(Format.counted(recipe.epochs, "epoch"))",
        remedy: "keep it at or below \(path)epochs"
      )
    }
  }
}
