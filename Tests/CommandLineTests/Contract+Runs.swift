extension Contract {
  /// What searches, trainings, `evaluate` and `derive` print and write.
  static let runs: [Shape] = [
    Shape(
      "`step` of a search",
      [
        "`step`": ["event"],
        "count": ["step", "epoch", "images"],
        "`weights` or `theta`": ["phase"],
        "number": ["loss", "multiplier"],
        "amount": ["cross_entropy", "cost", "temperature", "learning_rate", "seconds"],
        "share": ["accuracy"],
      ],
      sometimes: ["multiplier"]
    ),
    Shape(
      "`epoch` of a search",
      [
        "`epoch`": ["event"],
        "count": ["epoch", "step", "settled"],
        "number": ["train_loss"],
        "share": ["train_accuracy", "val_accuracy", "argmax_accuracy"],
        "amount": [
          "val_loss", "expected_cost", "argmax_flops", "argmax_params", "argmax_latency_ms",
          "temperature", "seconds", "mean_entropy_bits",
        ],
      ],
      sometimes: ["argmax_latency_ms", "settled", "mean_entropy_bits"]
    ),
    Shape(
      "`done` of a search",
      [
        "`done`": ["event"],
        "`search` or `random`": ["kind"],
        "`dnas` or `random`": ["algorithm"],
        "list of chosen layer": ["architecture"],
        "uniform network": ["uniform"],
        "share": [
          "val_accuracy", "argmax_accuracy", "test_accuracy", "supernet_test_accuracy",
          "sampled_mean",
        ],
        "amount": [
          "val_loss", "test_loss", "supernet_test_loss", "flops", "params", "latency_ms", "cost",
          "expected_cost", "argmax_cost", "budget", "mean_entropy_bits", "sampled_deviation",
          "seconds",
        ],
        "`flops` or `params` or `latency`": ["cost_metric"],
        "flag": ["repaired"],
        "number": ["multiplier"],
        "count": ["choices", "settled", "coin_tosses", "sampled_networks", "epochs", "steps"],
        "text": ["verdict", "theta_sha256", "weights_sha256", "run"],
        "list of text": ["options"],
      ],
      sometimes: [
        "latency_ms", "budget", "multiplier", "choices", "settled", "coin_tosses",
        "mean_entropy_bits", "verdict", "uniform", "sampled_networks", "sampled_mean",
        "sampled_deviation",
      ]
    ),
    Shape(
      "copied network",
      [
        "`network`": ["event"], "text": ["run"], "count": ["step"],
        "list of copied layer": ["architecture"],
      ]
    ),
    Shape("copied layer", ["text": ["layer", "choice"], "share": ["probability"]]),
    Shape(
      "uniform network",
      [
        "number": ["scale"],
        "amount": ["cost", "test_loss"],
        "share": ["test_accuracy"],
      ]
    ),
    Shape(
      "chosen layer",
      [
        "text": ["layer", "choice"],
        "amount": ["flops", "params", "latency_ms"],
      ],
      sometimes: ["latency_ms"]
    ),
    Shape(
      "exports/architecture.json",
      [
        "count": ["format"],
        "list of text": ["layers"],
        "list of exported architecture": ["architectures"],
      ]
    ),
    Shape(
      "exported architecture",
      [
        "`argmax` or `repaired` or `uniform` or `even` or `sampled` or `best` or `random`": [
          "source"
        ],
        "list of text": ["blocks"],
        "amount": ["flops", "params", "latency_ms"],
        "share": ["val_accuracy", "theta_accuracy"],
      ],
      sometimes: ["latency_ms", "theta_accuracy"]
    ),
    Shape(
      "`step` of a training",
      [
        "`step`": ["event"],
        "count": ["step", "epoch", "images"],
        "number": ["loss"],
        "share": ["accuracy"],
        "amount": ["learning_rate", "seconds"],
      ]
    ),
    Shape(
      "`epoch` of a training",
      [
        "`epoch`": ["event"],
        "count": ["epoch", "step"],
        "number": ["train_loss"],
        "share": ["train_accuracy", "top1", "top5"],
        "amount": ["val_loss", "seconds"],
      ]
    ),
    Shape(
      "`done` of a training",
      [
        "`done`": ["event"],
        "`training`": ["kind"],
        "text": ["name", "weights", "weights_sha256", "run"],
        "share": ["top1", "top5", "test_accuracy", "val_accuracy"],
        "amount": ["test_loss", "val_loss", "flops", "params", "seconds"],
        "count": ["epochs", "steps"],
      ]
    ),
    Shape(
      "object of evaluate",
      [
        "`done`": ["event"],
        "text": ["name"],
        "share": ["top1", "top5", "test_accuracy"],
        "amount": ["loss", "test_loss"],
        "count": ["images"],
      ]
    ),
    Shape(
      "event of derive",
      [
        "`judged` or `epoch`": ["event"],
        "derived network": ["network"],
      ]
    ),
    Shape(
      "`done` of derive",
      [
        "`done`": ["event"],
        "text": ["run"],
        "list of derived network": ["networks"],
        "count": ["evaluations"],
        "list of selected layer": ["selection"],
      ],
      sometimes: ["selection"]
    ),
    Shape(
      "derived network",
      [
        "text": ["name", "run"],
        "`argmax` or `sample` or `perturbation` or `refined` or `uniform` or `even`": ["source"],
        "count": ["step"],
        "list of count": ["architecture", "epochs"],
        "list of text": ["blocks", "changes"],
        "number": ["log_probability"],
        "amount": ["flops", "params", "latency_ms", "measured_ms", "val_loss", "tuned_loss"],
        "share": ["val_accuracy", "trained_val_accuracy", "top1"],
      ],
      sometimes: [
        "latency_ms", "measured_ms", "tuned_loss", "step", "run", "epochs",
        "trained_val_accuracy", "top1",
      ]
    ),
    Shape(
      "selected layer",
      [
        "text": ["layer", "probable", "selected"],
        "share": ["probability"],
        "number": ["probable_loss_increase", "loss_increase"],
      ]
    ),
  ]
}
