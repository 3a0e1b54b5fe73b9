extension Contract {
  /// What `farm` prints.
  static let farm: [Shape] = [
    Shape(
      "object of farm",
      [
        "`farm`": ["event"],
        "text": ["run", "host"],
        "count": ["process"],
        "flag": ["done"],
        "list of farm trial": ["trials"],
      ],
      sometimes: ["host", "process"]
    ),
    Shape(
      "farm trial",
      [
        "count": ["index", "epochs", "process"],
        "text": ["run", "message", "host"],
        "`waiting` or `running` or `finished` or `failed` or `stopped`": ["state"],
        "share": ["val_accuracy"],
      ],
      sometimes: ["process", "message", "host", "val_accuracy"]
    ),
    Shape(
      "`trial` of farm work",
      [
        "`trial`": ["event"],
        "text": ["run", "message"],
        "`running` or `finished` or `failed` or `waiting`": ["state"],
        "count": ["epochs"],
        "share": ["val_accuracy", "test_accuracy"],
      ],
      sometimes: ["message", "val_accuracy", "test_accuracy"]
    ),
  ]
}
