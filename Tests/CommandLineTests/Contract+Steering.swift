extension Contract {
  /// What `runs`, `control`, `replay` and `themes` print.
  static let steering: [Shape] = [
    Shape(
      "object of runs",
      [
        "`runs`": ["event"],
        "list of text": ["differing"],
        "list of listed run": ["runs"],
      ]
    ),
    Shape(
      "listed run",
      [
        "text": ["name", "run", "problem", "preset", "data", "parent"],
        "`new` or `preparing` or `running` or `paused` or `stopped` or `finished` or `failed` or "
          + "`gone` or `silent` or `unreadable`": ["state"],
        "`search` or `random` or `joint` or `training`": ["kind"],
        "share": ["progress", "val_accuracy", "test_accuracy"],
        "count": ["step", "total_steps", "epoch", "epochs", "parent_step"],
        "`flops` or `params` or `latency`": ["cost_metric"],
        "amount": ["cost", "begun_at"],
        "list of differing setting": ["settings"],
      ],
      sometimes: [
        "problem", "kind", "preset", "data", "progress", "step", "total_steps", "epoch", "epochs",
        "val_accuracy", "test_accuracy", "cost_metric", "cost", "begun_at", "parent", "parent_step",
      ]
    ),
    Shape(
      "differing setting",
      ["text": ["key", "value"]]
    ),
    Shape(
      "parent.json",
      [
        "text": ["run"],
        "count": ["step"],
      ]
    ),
    Shape(
      "object of themes",
      [
        "`themes`": ["event"],
        "list of listed theme": ["themes"],
      ]
    ),
    Shape(
      "listed theme",
      [
        "text": ["name", "file"],
        "`dark` or `light` or `any`": ["appearance"],
        "flag": ["monochrome"],
        "list of text": ["problems"],
      ],
      sometimes: ["file"]
    ),
    Shape(
      "object of control",
      [
        "`control`": ["event"],
        "text": ["run"],
        "list of answered request": ["requests"],
      ]
    ),
    Shape(
      "answered request",
      [
        "text": ["control", "note"],
        "`requested` or `accepted` or `done` or `refused`": ["state"],
        "count": ["step"],
      ],
      sometimes: ["step"]
    ),
    Shape(
      "list of control",
      [
        "`controls`": ["event"],
        "text": ["run"],
        "list of listed control": ["controls"],
      ]
    ),
    Shape(
      "listed control",
      [
        "text": ["name", "form", "range", "meaning"],
        "`now` or `next step` or `next round`": ["takes_effect"],
        "flag": ["changes_training"],
      ]
    ),
    Shape(
      "object of replay",
      [
        "`replay`": ["event"],
        "text": ["run", "replay"],
        "flag": ["identical"],
        "count": ["steps", "interventions", "refused"],
        "difference of a replay": ["first_difference"],
        "amount": ["seconds"],
      ],
      sometimes: ["replay", "first_difference"]
    ),
    Shape(
      "difference of a replay",
      [
        "`steps` or `thetas` or `epochs` or `interventions` or `weights`": ["table"],
        "count": ["step"],
        "text": ["recorded", "replayed"],
      ]
    ),
  ]
}
