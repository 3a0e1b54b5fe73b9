import Runs

extension FigureTables {
  /// What a joint search alone has: its candidates, and how far it has come beside them.
  var joint: [FigureTable] {
    [
      trials, trialOptions, trialEpochs, earlyRanks, predictions, generations, limits, progress,
    ]
  }

  private var trials: FigureTable {
    FigureTable(
      "trials",
      of: TrialRecord.self,
      [
        "number": { $0.number }, "stage": { $0.stage.rawValue }, "round": { $0.round },
        "resolution": { $0.resolution }, "flops": { $0.flops }, "params": { $0.params },
        "latency_ms": { $0.latency }, "predicted": { $0.predicted }, "spread": { $0.spread },
        "state": { $0.state.rawValue }, "message": { $0.message }, "top1": { $0.top1 },
        "run": { $0.run }, "seconds": { $0.seconds },
        "recipe.optimiser": { $0.recipe.optimiser.rawValue },
        "recipe.learning_rate": { $0.recipe.learningRate },
        "recipe.momentum": { $0.recipe.momentum }, "recipe.rms_alpha": { $0.recipe.rmsAlpha },
        "recipe.rms_epsilon": { $0.recipe.rmsEpsilon },
        "recipe.schedule": { $0.recipe.schedule.rawValue },
        "recipe.step_epochs": { $0.recipe.stepEpochs },
        "recipe.decay_factor": { $0.recipe.decayFactor },
        "recipe.warmup_epochs": { $0.recipe.warmupEpochs },
        "recipe.weight_decay": { $0.recipe.weightDecay },
        "recipe.first_values": { $0.recipe.firstValues.rawValue },
        "recipe.label_smoothing": { $0.recipe.labelSmoothing }, "recipe.mixup": { $0.recipe.mixup },
        "recipe.dropout": { $0.recipe.dropout }, "recipe.drop_path": { $0.recipe.dropPath },
        "recipe.ema": { $0.recipe.ema }, "recipe.validation_share": { $0.recipe.validationShare },
        "recipe.epochs": { $0.recipe.epochs }, "recipe.stop_epoch": { $0.recipe.stopEpoch },
        "recipe.batch": { $0.recipe.batch }, "recipe.shift": { $0.recipe.shift },
        "recipe.flip": { $0.recipe.flip },
        "recipe.recalibration_images": { $0.recipe.recalibrationImages },
      ],
      from: try reader.trials()
    )
  }

  private var trialOptions: FigureTable {
    FigureTable(
      "trial_options",
      of: (number: Int, choice: String, option: String?).self,
      ["number": { $0.number }, "choice": { $0.choice }, "option": { $0.option }],
      from: try reader.trials().flatMap { trial in
        zip(choices, trial.options).map { choice, option in
          (number: trial.number, choice: choice.id, option: choice.options.at(option)?.name)
        }
      }
    )
  }

  private var trialEpochs: FigureTable {
    FigureTable(
      "trial_epochs",
      of: (trial: TrialRecord, epoch: Int).self,
      [
        "number": { $0.trial.number }, "epoch": { $0.epoch },
        "val_accuracy": { $0.trial.accuracies.at($0.epoch) },
        "train_loss": { $0.trial.losses.at($0.epoch) },
      ],
      from: try reader.trials().flatMap { trial in
        (0..<max(trial.accuracies.count, trial.losses.count)).map { (trial: trial, epoch: $0) }
      }
    )
  }

  private var earlyRanks: FigureTable {
    FigureTable(
      "early_ranks",
      of: (epoch: Int, ranks: JointProgress.EarlyRanks).self,
      [
        "epoch": { $0.epoch }, "accuracy": { $0.ranks.accuracy[$0.epoch] },
        "best_quarter": { $0.ranks.bestQuarter?.at($0.epoch) },
        "loss_sum": { $0.ranks.lossSum.at($0.epoch) },
      ],
      from: try reader.jointProgress()?.earlyRanks.map { ranks in
        ranks.accuracy.indices.map { (epoch: $0, ranks: ranks) }
      } ?? []
    )
  }

  private var predictions: FigureTable {
    FigureTable(
      "predictions",
      of: JointProgress.Held.self,
      [
        "candidates": { $0.candidates }, "spearman": { $0.spearman },
        "kendall": { $0.kendall },
      ],
      from: try reader.jointProgress()?.held ?? []
    )
  }

  private var generations: FigureTable {
    FigureTable(
      "generations",
      of: JointProgress.Generation.self,
      [
        "number": { $0.number }, "best": { $0.best }, "mean": { $0.mean },
        "children": { $0.children },
      ],
      from: try reader.jointProgress()?.generations ?? []
    )
  }

  private var limits: FigureTable {
    FigureTable(
      "limits",
      of: JointProgress.Limit.self,
      ["round": { $0.round }, "metric": { $0.metric.rawValue }, "most": { $0.most }],
      from: try reader.jointProgress()?.limits ?? []
    )
  }

  private var progress: FigureTable {
    FigureTable(
      "joint",
      of: JointProgress.self,
      ["rounds": { $0.rounds }, "stop_epoch": { $0.stopEpoch }],
      from: try reader.jointProgress().map { [$0] } ?? []
    )
  }
}
