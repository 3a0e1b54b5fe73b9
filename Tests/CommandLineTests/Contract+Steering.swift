extension Contract {
  /// What `control`, `replay` and `themes` print.
  static let steering: [Shape] = [
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
