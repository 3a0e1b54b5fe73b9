extension Recipe: KeyedSettings {
  /// Every key, in the order in which a file is written.
  static let keys = KeyTable(all: [
    .init("optimiser", ConfigurationKey.words(Optimiser.self), "What turns gradients into steps."),
    .init("learning_rate", .number(.positive), "Learning rate at the end of the warm-up."),
    .init("momentum", .number(.belowOne), "Share of the old velocity that stays."),
    .init("rms_alpha", .number(.belowOne), "RMSProp: share of the old mean square that stays."),
    .init("rms_epsilon", .number(.positive), "RMSProp: added to the root of the mean square."),
    .init(
      "schedule",
      ConfigurationKey.words(Schedule.self),
      "How the learning rate falls after the warm-up."
    ),
    .init("step_epochs", .number(.positive), "Epochs of one step of the step schedule."),
    .init(
      "decay_factor",
      .number(.init(low: 0, lowOpen: true, high: 1)),
      "Factor of one step, or of each epoch of the exponential schedule."
    ),
    .init(
      "warmup_epochs",
      .number(.notNegative),
      "Epochs in which the learning rate rises from 0; keeps its share of epochs fewer than that."
    ),
    .init(
      "weight_decay",
      .number(.notNegative),
      "Weight decay; biases and batch-norms have none."
    ),
    .init(
      "first_values",
      ConfigurationKey.words(FirstValues.self),
      ConfigurationKey.firstValues
    ),
    .init("label_smoothing", .number(.belowOne), "Label smoothing of the cross-entropy."),
    .init(
      "mixup",
      .number(.notNegative),
      "Alpha of the Beta distribution of mixup's shares; 0 turns it off."
    ),
    .init("dropout", .number(.belowOne), "Share of the classifier's inputs set to 0 in a step."),
    .init(
      "drop_path",
      .number(.belowOne),
      "Stochastic depth: share of images that skip the last block; rises with depth from 0."
    ),
    .init(
      "ema",
      .number(.belowOne),
      "Decay of the moving average of the weights, which is evaluated and exported; 0 for none."
    ),
    .init(
      "validation_share",
      .number(.belowOne),
      "Share of each class's training images kept for validation; 0: the test images are."
    ),
    .init("epochs", .integer(1...1_000_000), "Passes over the training images."),
    .init(
      "stop_epoch",
      .integer(0...1_000_000),
      "Epochs after which the training ends early, its schedule being that of epochs; 0: never."
    ),
    .init("batch", .integer(1...65536), "Images of a step."),
    .init("shift", .integer(0...4096), "Largest shift of the random crop, pixels; 0 for none."),
    .init("flip", .flag, "Mirror half of the training images left to right."),
    .init(
      "recalibration_images",
      .integer(1...1_000_000_000),
      "Images that give new batch-norm statistics before an evaluation."
    ),
  ])
}
