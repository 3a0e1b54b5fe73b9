extension Contract {
  /// What joint searches, their reports and their answers print.
  static let joint: [Shape] = [
    Shape(
      "`candidate` of a joint search",
      [
        "`candidate`": ["event"],
        "count": ["number", "round", "resolution"],
        "`coarse` or `fine` or `hand`": ["stage"],
        "list of count": ["options"],
        "recipe": ["recipe"],
        "amount": ["flops", "params", "latency_ms", "spread", "seconds"],
        "share": ["predicted", "top1"],
        "`waiting` or `running` or `finished` or `stopped` or `failed`": ["state"],
        "text": ["message", "run"],
        "list of share": ["val_accuracies"],
        "list of number": ["train_losses"],
      ],
      sometimes: ["latency_ms", "predicted", "spread", "top1"]
    ),
    Shape(
      "`done` of a joint search",
      [
        "`done`": ["event"],
        "`joint`": ["kind"],
        "`joint` or `random` or `architecture` or `recipe`": ["algorithm"],
        "list of taken option": ["architecture"],
        "recipe": ["recipe"],
        "count": [
          "candidate", "trained_candidates", "failed_candidates", "stop_epoch", "epochs", "steps",
        ],
        "share": ["val_accuracy", "test_accuracy", "sampled_mean"],
        "amount": [
          "test_loss", "flops", "params", "latency_ms", "sampled_deviation", "seconds",
        ],
        "number": ["predictor_rank_correlation", "predictor_kendall_tau"],
        "text": ["weights", "run"],
      ],
      sometimes: ["latency_ms", "predictor_rank_correlation", "predictor_kendall_tau"]
    ),
    Shape(
      "taken option",
      [
        "text": ["choice", "option"]
      ]
    ),
    Shape(
      "recipe",
      [
        "`sgd` or `rmsprop`": ["optimiser"],
        "amount": [
          "learning_rate", "momentum", "rms_alpha", "rms_epsilon", "step_epochs", "decay_factor",
          "warmup_epochs", "weight_decay", "mixup",
        ],
        "`cosine` or `step` or `exponential` or `constant`": ["schedule"],
        "text": ["first_values"],
        "share": ["label_smoothing", "dropout", "drop_path", "ema", "validation_share"],
        "count": ["epochs", "stop_epoch", "batch", "shift", "recalibration_images"],
        "flag": ["flip"],
      ]
    ),
    Shape(
      "object of report",
      [
        "text": ["run"],
        "list of reported choice": ["choices"],
        "list of reported candidate": ["candidates"],
        "joint progress": ["progress"],
      ],
      sometimes: ["progress"]
    ),
    Shape(
      "reported candidate",
      [
        "count": ["number", "round", "resolution"],
        "`coarse` or `fine` or `hand`": ["stage"],
        "list of count": ["options"],
        "recipe": ["recipe"],
        "amount": ["flops", "params", "latency_ms", "spread", "seconds"],
        "share": ["predicted", "top1"],
        "`waiting` or `running` or `finished` or `stopped` or `failed`": ["state"],
        "text": ["message", "run"],
        "list of share": ["val_accuracies"],
        "list of number": ["train_losses"],
      ],
      sometimes: ["latency_ms", "predicted", "spread", "top1"]
    ),
    Shape(
      "reported choice",
      [
        "text": ["id", "name", "detail", "group"],
        "`operator` or `width` or `expansion` or `depth` or `resolution` or `recipe`": ["kind"],
        "list of reported option": ["options"],
      ]
    ),
    Shape(
      "reported option",
      [
        "text": ["name"],
        "number": ["value"],
      ],
      sometimes: ["value"]
    ),
    Shape(
      "joint progress",
      [
        "list of round's limit": ["limits"],
        "count": ["rounds", "stop_epoch"],
        "early ranks": ["early_ranks"],
        "list of held-out ranks": ["held"],
        "list of generation": ["generations"],
      ],
      sometimes: ["rounds", "early_ranks", "stop_epoch"]
    ),
    Shape(
      "round's limit",
      [
        "count": ["round"],
        "`flops` or `params` or `latency`": ["metric"],
        "amount": ["most"],
      ]
    ),
    Shape(
      "early ranks",
      [
        "list of number": ["accuracy", "best_quarter", "loss_sum"]
      ],
      sometimes: ["best_quarter"]
    ),
    Shape(
      "held-out ranks",
      [
        "count": ["candidates"],
        "number": ["spearman", "kendall"],
      ]
    ),
    Shape(
      "generation",
      [
        "count": ["number", "children"],
        "share": ["best", "mean"],
      ]
    ),
    Shape(
      "answer to a constraint",
      [
        "`done`": ["event"],
        "text": ["run"],
        "list of text": ["constraints"],
        "count": ["epochs"],
        "list of answered candidate": ["candidates"],
        "trained candidate": ["trained"],
        "amount": ["seconds"],
      ],
      sometimes: ["trained"]
    ),
    Shape(
      "answered candidate",
      [
        "list of taken option": ["architecture"],
        "recipe": ["recipe"],
        "share": ["predicted"],
        "amount": ["spread", "flops", "params", "latency_ms"],
        "text": ["network", "recipe_file"],
      ],
      sometimes: ["latency_ms"]
    ),
    Shape(
      "trained candidate",
      [
        "count": ["candidate"],
        "share": ["val_accuracy"],
        "amount": ["flops", "params", "latency_ms"],
      ],
      sometimes: ["latency_ms"]
    ),
  ]
}
