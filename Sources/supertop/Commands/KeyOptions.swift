import ArgumentParser

/// Options that stand for keys of a new run's configuration; the same for `search` and `train`.
///
/// They are texts here: one place says what a key may hold, wherever the value comes from.
struct KeyOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Seed of all random numbers.", valueName: "n")
  )
  var seed: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Passes over the training images.", valueName: "n")
  )
  var epochs: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Worker threads; 0 means one for each core.", valueName: "n")
  )
  var threads: String?

  @Flag(help: "Count images that cannot be decoded and continue.")
  var skipBadImages = false

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Override any key by its path or, where only one ends so, its last word; may be repeated.",
      valueName: "key.path=value"
    )
  )
  var assignments: [String] = []

  /// The options as `key.path=value`, those of `--set` last; `epochs` is the path of that key.
  func overrides(epochs key: String) -> [String] {
    var overrides: [String] = []
    if let seed { overrides.append("seed=\(seed)") }
    if let epochs { overrides.append("\(key)=\(epochs)") }
    if let threads { overrides.append("threads=\(threads)") }
    if skipBadImages { overrides.append("data.skip_bad_images=true") }
    return overrides + assignments
  }
}
