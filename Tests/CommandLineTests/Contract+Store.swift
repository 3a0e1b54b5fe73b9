extension Contract {
  /// The columns of a run's store, by their types.
  static let store: [Shape] = [
    Shape(
      "table choices",
      [
        "INTEGER": ["id"],
        "TEXT": ["identity", "name", "detail", "kind", "group_name", "options"],
      ]
    ),
    Shape(
      "table choice_prices",
      [
        "TEXT": ["choice", "flops", "params", "latency"]
      ],
      sometimes: ["latency"]
    ),
    Shape(
      "table steps",
      [
        "INTEGER": ["step", "epoch", "images"],
        "TEXT": ["phase"],
        "REAL": [
          "loss", "cross_entropy", "accuracy", "cost", "temperature", "learning_rate", "seconds",
          "multiplier",
        ],
      ],
      sometimes: [
        "loss", "cross_entropy", "accuracy", "cost", "temperature", "learning_rate", "seconds",
        "multiplier",
      ]
    ),
    Shape(
      "table thetas",
      [
        "INTEGER": ["step"],
        "REAL": ["epoch", "multiplier", "expected_cost"],
        "TEXT": ["counts"],
        "BLOB": ["logits", "accuracy_pull", "cost_pull"],
      ],
      sometimes: ["epoch", "multiplier", "expected_cost"]
    ),
    Shape(
      "table epochs",
      [
        "INTEGER": ["epoch", "step", "settled"],
        "REAL": [
          "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
          "argmax_accuracy", "expected_cost", "argmax_flops", "argmax_params", "temperature",
          "seconds", "top_five", "argmax_latency", "mean_entropy_bits",
        ],
        "TEXT": ["ranking"],
      ],
      sometimes: [
        "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "argmax_accuracy",
        "expected_cost", "argmax_flops", "argmax_params", "temperature", "seconds", "top_five",
        "argmax_latency", "settled", "mean_entropy_bits", "ranking",
      ]
    ),
    Shape(
      "table derived",
      [
        "TEXT": ["name", "json"]
      ]
    ),
    Shape(
      "table trials",
      [
        "INTEGER": ["id"],
        "TEXT": ["json"],
      ]
    ),
    Shape(
      "table joint",
      [
        "INTEGER": ["id"],
        "TEXT": ["json"],
      ]
    ),
    Shape(
      "table data",
      [
        "INTEGER": ["id"],
        "TEXT": ["json"],
      ]
    ),
    Shape(
      "table status",
      [
        "INTEGER": ["id"],
        "TEXT": ["json"],
      ]
    ),
    Shape(
      "table result",
      [
        "INTEGER": ["id"],
        "TEXT": ["json"],
      ]
    ),
    Shape(
      "table sessions",
      [
        "INTEGER": ["id", "step", "process"],
        "REAL": ["started_at"],
      ]
    ),
    Shape(
      "table interventions",
      [
        "INTEGER": ["id", "step"],
        "TEXT": ["action", "state", "note"],
        "REAL": ["requested_at"],
      ],
      sometimes: ["step"]
    ),
    Shape(
      "table log",
      [
        "INTEGER": ["id", "step"],
        "REAL": ["time"],
        "TEXT": ["level", "text"],
      ],
      sometimes: ["step"]
    ),
  ]
}
