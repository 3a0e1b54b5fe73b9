extension Contract {
  private static let runStates =
    "`preparing` or `running` or `paused` or `validating` or `stopped` or `finished` or `failed`"
  private static let findings =
    "`settled` or `undecided` or `skips` or `early` or `not_a_number` or `diverging`"
    + " or `over_budget` or `stalled` or `disk`"

  private static let pricedAndPulled = [
    "flops", "params", "latency_ms", "cost_if_pinned", "accuracy_pull", "cost_pull",
  ]

  /// What `show` and `branch` print.
  static let screens: [Shape] = [
    Shape(
      "object of show",
      [
        "`screen`": ["event"],
        "text": ["run"],
        "`search` or `random` or `training` or `joint`": ["kind"],
        "shown status": ["status"],
        "list of shown choice": ["choices"],
        "inspected choice": ["choice"],
        "list of curve": ["learning"],
        "shown cost": ["cost"],
        "shown networks": ["networks"],
        "shown candidates": ["candidates"],
        "list of fact": ["recipe"],
        "shown log": ["log"],
        "shown system": ["system"],
      ],
      sometimes: [
        "choices", "choice", "learning", "cost", "networks", "candidates", "recipe", "log",
        "system",
      ]
    ),
    Shape(
      "shown status",
      [
        runStates:
          ["state"],
        "text": ["badge", "message"],
        "flag": ["is_past", "trainer_alive"],
        "count": ["epoch", "epochs", "step", "steps"],
        "share": ["progress", "val_accuracy", "test_accuracy"],
        "amount": ["eta_seconds"],
      ],
      sometimes: ["trainer_alive", "eta_seconds", "val_accuracy", "test_accuracy"]
    ),
    Shape(
      "shown choice",
      [
        "text": ["id", "name", "detail", "group", "leader"],
        "`operator` or `width` or `expansion` or `depth` or `resolution` or `recipe`": ["kind"],
        "share": ["probability"],
        "amount": ["entropy_bits", "most_bits", "settled_since", "wobble", "mean_size"],
        "flag": ["settled", "pinned"],
        "number": ["lead"],
        "list of shown option": ["options"],
      ],
      sometimes: ["settled_since", "lead", "wobble", "mean_size"]
    ),
    Shape(
      "shown option",
      [
        "text": ["name"],
        "share": ["probability"],
      ]
    ),
    Shape(
      "inspected choice",
      [
        "text": ["id", "name", "detail", "reason"],
        "count": ["number"],
        "amount": ["entropy_bits", "most_bits", "settled_since"],
        "list of amount": ["epochs"],
        "list of inspected option": ["options"],
      ],
      sometimes: ["settled_since"]
    ),
    Shape(
      "inspected option",
      [
        "text": ["name"],
        "share": ["probability"],
        "number": pricedAndPulled,
        "list of share": ["history"],
      ],
      sometimes: Set(pricedAndPulled)
    ),
    Shape(
      "curve",
      [
        "text": ["name"],
        "number": ["last", "low", "high"],
        "count": ["lost"],
        "list of amount": ["epochs"],
        "list of number": ["values"],
      ],
      sometimes: ["last", "low", "high"]
    ),
    Shape(
      "shown cost",
      [
        "`flops` or `params` or `latency`": ["metric"],
        "amount": ["expected", "budget", "share_of_budget", "temperature"],
        "number": ["multiplier"],
        "flag": ["temperature_held"],
        "list of curve": ["curves"],
      ],
      sometimes: ["expected", "budget", "share_of_budget", "multiplier", "temperature"]
    ),
    Shape(
      "shown networks",
      [
        "list of text": ["leading", "chosen"],
        "text": ["verdict"],
        "list of derived network": ["derived"],
        "list of rank agreement": ["rank_agreement"],
      ],
      sometimes: ["verdict", "chosen"]
    ),
    Shape(
      "rank agreement",
      [
        "amount": ["epoch"],
        "number": ["overall", "within_bands"],
      ]
    ),
    Shape(
      "shown candidates",
      [
        "count": ["best"],
        "list of share": ["best_so_far"],
        "share": ["blind_accuracy"],
        "list of reported choice": ["choices"],
        "list of reported candidate": ["candidates"],
        "joint progress": ["progress"],
      ],
      sometimes: ["best", "blind_accuracy", "progress"]
    ),
    Shape(
      "fact",
      [
        "text": ["name", "text"]
      ]
    ),
    Shape(
      "shown log",
      [
        "list of log line": ["lines"],
        "list of shown request": ["interventions"],
        "list of noticed finding": ["findings"],
      ]
    ),
    Shape(
      "log line",
      [
        "amount": ["time"],
        "`info` or `notice` or `warning` or `error`": ["level"],
        "count": ["step"],
        "text": ["text"],
      ],
      sometimes: ["step"]
    ),
    Shape(
      "shown request",
      [
        "text": ["text", "note"],
        "`requested` or `accepted` or `done` or `refused`": ["state"],
        "count": ["step"],
        "amount": ["time"],
      ],
      sometimes: ["step"]
    ),
    Shape(
      "noticed finding",
      [
        findings:
          ["kind"],
        "flag": ["alarm"],
        "count": ["step"],
        "text": ["text"],
      ],
      sometimes: ["step"]
    ),
    Shape(
      "shown system",
      [
        "amount": ["images_per_second", "step_seconds", "eta_seconds"],
        "count": ["memory_bytes", "disk_free_bytes", "process"],
        "list of time of an operation": ["operations"],
      ],
      sometimes: [
        "images_per_second", "memory_bytes", "disk_free_bytes", "process", "step_seconds",
        "eta_seconds", "operations",
      ]
    ),
    Shape(
      "time of an operation",
      [
        "text": ["operation"],
        "share": ["share"],
      ]
    ),
    Shape(
      "object of branch",
      [
        "`branch`": ["event"],
        "text": ["run", "parent"],
        "count": ["step"],
      ]
    ),
  ]
}
