extension Contract {
  /// What `compare`, `prove`, `models` and `latency` print.
  static let tools: [Shape] = [
    Shape(
      "object of checklist",
      ["`checklist`": ["event"], "text": ["run"], "list of practice": ["items"]]
    ),
    Shape(
      "practice",
      [
        "count": ["number"],
        "text": ["practice", "text"],
        "`kept` or `missing` or `author`": ["state"],
      ]
    ),
    Shape(
      "object of compare",
      [
        "`done`": ["event"],
        "`flops` or `params` or `latency`": ["metric"],
        "list of compared run": ["runs"],
      ]
    ),
    Shape(
      "compared run",
      [
        "text": ["name", "run", "network", "state"],
        "`dnas` or `random` or `training`": ["algorithm"],
        "flag": ["finished", "on_front"],
        "share": ["val_accuracy", "argmax_accuracy", "retrained_accuracy", "sampled_mean"],
        "count": ["sampled_networks", "epochs"],
        "amount": ["sampled_deviation", "flops", "params", "latency_ms", "budget", "seconds"],
        "`flops` or `params` or `latency`": ["cost_metric"],
      ],
      sometimes: [
        "val_accuracy", "argmax_accuracy", "retrained_accuracy", "sampled_networks", "sampled_mean",
        "sampled_deviation", "flops", "params", "latency_ms", "cost_metric", "budget",
      ]
    ),
    Shape(
      "object of prove",
      [
        "`dnas` or `random` or `evolution` or `joint` or `architecture` or `recipe`": ["algorithm"],
        "text": ["limit"],
        "best network": ["best"],
        "list of text": ["architectures"],
        "list of amount": ["accuracies", "regret", "random_regret"],
        "list of amount or null": ["costs"],
        "list of flag": ["within_limit"],
        "list of count": ["evaluations"],
        "count": ["steps"],
        "list of regret by budget": ["regret_by_budget"],
        "list of rank correlation by labels": ["kendall_tau"],
        "amount": ["seconds"],
      ],
      sometimes: ["limit", "regret_by_budget", "kendall_tau"]
    ),
    Shape(
      "object of prove of a run",
      [
        "text": ["run", "metric"],
        "count": ["different"],
        "best network": ["best"],
        "number": ["blind_regret"],
        "list of agreement of a ranking": ["rankings"],
        "list of network chosen": ["choices"],
        "list of network of a table": ["networks"],
        "amount": ["seconds"],
      ],
      sometimes: ["blind_regret"]
    ),
    Shape(
      "agreement of a ranking",
      [
        "`accuracy` or `loss` or `cost`": ["by"],
        "number": ["tau", "tenths_tau"],
        "list of number or null": ["tau_by_tenth"],
        "share": ["precision_1", "precision_5"],
      ]
    ),
    Shape(
      "network chosen",
      [
        "`probability` or `perturbation` or `refinement` or `inherited`": ["rule"],
        "text": ["architecture"],
        "share": ["inherited_accuracy"],
        "amount": ["cost"],
        "number": ["accuracy", "regret", "random_regret"],
        "count": ["evaluations"],
      ],
      sometimes: ["cost", "accuracy", "regret", "random_regret"]
    ),
    Shape(
      "network of a table",
      [
        "text": ["architecture"],
        "amount": ["cost", "inherited_loss"],
        "count": ["tenth"],
        "number": ["accuracy"],
        "share": ["inherited_accuracy"],
      ]
    ),
    Shape(
      "regret by budget",
      [
        "count": ["budget"],
        "list of amount": ["regret", "random_regret", "evolution_regret"],
      ]
    ),
    Shape(
      "rank correlation by labels",
      [
        "count": ["labels"],
        "list of amount": ["pretrained", "scratch"],
      ]
    ),
    Shape(
      "object of predictor",
      [
        "text": ["table"],
        "count": ["labels"],
        "list of predictor check": ["cross_validation", "others"],
      ]
    ),
    Shape(
      "predictor check",
      [
        "count": ["labels"],
        "predictor agreement": ["pretrained", "scratch"],
      ]
    ),
    Shape(
      "predictor agreement",
      [
        "amount": [
          "kendall", "spearman", "best_quarter_kendall", "best_quarter_spearman",
          "mistake_in_spreads",
        ]
      ]
    ),
    Shape(
      "best network",
      [
        "text": ["architecture"],
        "amount": ["accuracy", "cost"],
      ],
      sometimes: ["cost"]
    ),
    Shape(
      "model",
      [
        "text": ["name", "family"],
        "count": ["resolution", "flops", "params"],
        "count or null": ["published_flops", "published_params"],
        "`zoo` or `madds` or `with-batch-norm`": ["counting_rule"],
        "flag or null": ["match"],
      ]
    ),
    Shape(
      "object of import",
      [
        "`done`": ["event"],
        "text": ["name", "state", "output"],
        "`timm` or `mobile-vision`": ["naming"],
        "count": ["taken", "classes"],
        "amount": ["epsilon"],
        "list of ignored arrays": ["ignored"],
      ],
      sometimes: ["state"]
    ),
    Shape("ignored arrays", ["text": ["reason"], "list of text": ["names"]]),
    Shape(
      "object of latency measure",
      [
        "text": ["file", "device", "isa"],
        "count": ["threads", "cells"],
        "amount": ["seconds", "largest_spread", "least_ms", "most_ms"],
        "list of finding": ["findings"],
      ]
    ),
    Shape(
      "object of latency show",
      [
        "text": ["device", "isa", "date"],
        "count": ["threads"],
        "amount": ["fixed_ms", "least_ms", "most_ms"],
        "list of text": ["candidates"],
        "list of latency row": ["rows"],
        "list of finding": ["findings"],
      ],
      sometimes: ["threads", "isa"]
    ),
    Shape(
      "latency row",
      [
        "text": ["name", "shape"],
        "list of amount or null": ["ms", "spread"],
      ]
    ),
    Shape(
      "finding",
      [
        "text": ["grade", "text"]
      ]
    ),
    Shape(
      "object of latency check",
      [
        "count": ["networks", "threads"],
        "amount": ["median_error"],
        "number": ["r2", "kendall_tau"],
        "text": ["table", "device", "isa"],
        "list of checked network": ["rows"],
      ]
    ),
    Shape(
      "checked network",
      [
        "list of text": ["architecture"],
        "amount": ["predicted_ms", "measured_ms", "spread"],
        "number": ["error"],
      ]
    ),
  ]
}
