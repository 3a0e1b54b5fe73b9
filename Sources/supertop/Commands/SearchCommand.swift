import ArgumentParser
import Foundation
import Runs
import Search

/// `supertop search`: starts a new run.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Start a search (the default: on the built-in digits).",
    discussion: """
      Settings come from a preset or a configuration file; options override them. See 'supertop \
      config --explain' for every key. The same settings and seed give the same network, bit for \
      bit, whatever the number of threads.

        supertop
        supertop search --preset cifar-small --data ./photos --epochs 30
        supertop search my.yaml --set budget.latency=0.03 --headless --json
        supertop search --space-from fbnet_c --data ./photos --keep 0.6
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Configuration file; what it leaves out comes from its preset.",
      valueName: "config.yaml"
    )
  )
  var file: String?

  @Option(
    help: ArgumentHelp(
      "Settings to start from: \(Configuration.presetNames.joined(separator: ", ")).",
      valueName: "name"
    )
  )
  var preset: String?

  @Option(help: dataHelp)
  var data: String?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "Folder of the new run (default: the next free runs/PRESET-NUMBER).",
      valueName: "dir"
    )
  )
  var runPath: String?

  @Option(
    help: ArgumentHelp(
      "How networks are found: dnas (by gradients) or random, as a baseline.",
      valueName: "name"
    )
  )
  var algorithm: String?

  @Option(
    name: .customLong("space-from"),
    help: ArgumentHelp(
      "Search the widths of this network: of the zoo, a JSON or safetensors file, or a run.",
      valueName: "network"
    )
  )
  var spaceFrom: String?

  @Option(
    help: ArgumentHelp(
      "Fractions of its widths to choose from, with --space-from.",
      valueName: "list"
    )
  )
  var widths = "0.25,0.375,0.5,0.625,0.75,0.875,1"

  @Option(
    help: ArgumentHelp(
      "Share of the network's cost to keep, with --space-from: the budget of search.cost.",
      valueName: "share"
    )
  )
  var keep: Double?

  @OptionGroup var keys: KeyOptions

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let source = try spaceFrom.map { try NetworkSource($0) }
    let settings = RunSettings.search(try settings(source))
    let start = source?.slimmingWeights
    let folder =
      if let runPath {
        try RunFolder.create(at: runPath, settings: settings, start: start)
      } else {
        try RunFolder.createNext(settings: settings, start: start)
      }
    try TrainingProcess.start(folder, display: display)
  }

  /// The settings of preset or file with all overrides, paths made absolute; the space is made of
  /// the widths of `source` where that is given.
  func settings(_ source: NetworkSource? = nil) throws -> Configuration {
    if let file, let source {
      throw UserError(
        .usage,
        "\(file) --space-from \(source.name)",
        "a space from two places",
        remedy: "give the other settings by --preset and --set"
      )
    }
    if let file, let preset {
      throw UserError(
        .usage,
        "\(file) --preset \(preset)",
        "settings from two places",
        remedy: "name the preset in the file, or override keys with --set"
      )
    }
    if let keep, source == nil {
      throw UserError(
        .usage,
        "--keep \(keep)",
        "there is no network to keep a share of",
        remedy: "name it with --space-from, or give a budget with --set budget.flops=1e6"
      )
    }
    var overrides: [String] = []
    if let data { overrides.append("data.source=\(data)") }
    if let algorithm { overrides.append("search.algorithm=\(algorithm)") }
    overrides += keys.overrides(epochs: "search.epochs")
    var settings =
      if let file {
        try Configuration.load(path: try existing(file), overrides: overrides)
      } else if let source {
        try source.slimming(
          by: try fractions(),
          keeping: try checkedShare(),
          from: preset ?? source.preset,
          overrides: overrides
        )
      } else {
        try Configuration.preset(preset ?? "digits", overrides: overrides)
      }
    // A resume may be started from another folder.
    settings.data.source = DataSource(settings.data.source).absolute.text
    settings.data.cache = Path.fromRoot(settings.data.cache)
    settings.latency.table = Path.fromRoot(settings.latency.table)
    return settings
  }

  /// The share of `--keep`.
  private func checkedShare() throws -> Double? {
    guard let keep, !(keep > 0 && keep < 1) else { return keep }
    throw UserError(
      .usage,
      "--keep \(keep)",
      "no share between 0 and 1",
      remedy: "write it like 0.6"
    )
  }

  /// The fractions of `--widths`.
  private func fractions() throws -> [Double] {
    let items = widths.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = items.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    guard numbers.count == items.count, numbers.allSatisfy({ $0 > 0 && $0 <= 1 }),
      zip(numbers, numbers.dropFirst()).allSatisfy(<), numbers.last == 1, numbers.count > 1
    else {
      throw UserError(
        .usage,
        "--widths \(widths)",
        "no ascending fractions that end with 1",
        remedy: "write them like 0.25,0.5,0.75,1"
      )
    }
    return numbers
  }

  /// A word that is neither a file nor a subcommand is more often a mistyped subcommand.
  private func existing(_ file: String) throws -> String {
    guard !pathExists(file) else { return file }
    let commands = Supertop.configuration.subcommands.compactMap { $0.configuration.commandName }
    throw UserError(
      .noInput,
      file,
      "no such configuration file",
      remedy: "name a YAML file, or one of the commands \(commands.joined(separator: ", "))"
    )
  }
}
