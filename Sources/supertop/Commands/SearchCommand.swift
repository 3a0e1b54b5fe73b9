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

  @OptionGroup var keys: KeyOptions

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let settings = try settings()
    let folder =
      if let runPath {
        try RunFolder.create(at: runPath, config: settings)
      } else {
        try RunFolder.createNext(for: settings)
      }
    try TrainingProcess.start(folder, display: display)
  }

  /// The settings of preset or file with all overrides, paths made absolute.
  func settings() throws -> Configuration {
    if let file, let preset {
      throw UserError(
        .usage,
        "\(file) --preset \(preset)",
        "settings from two places",
        remedy: "name the preset in the file, or override keys with --set"
      )
    }
    var overrides: [String] = []
    if let data { overrides.append("data.source=\(data)") }
    if let algorithm { overrides.append("search.algorithm=\(algorithm)") }
    overrides += keys.overrides(epochs: "search.epochs")
    var settings =
      if let file {
        try Configuration.load(path: try existing(file), overrides: overrides)
      } else {
        try Configuration.preset(preset ?? "digits", overrides: overrides)
      }
    // A resume may be started from another folder.
    settings.data.source = DataSource(settings.data.source).absolute.text
    settings.data.cache = Path.fromRoot(settings.data.cache)
    settings.latency.table = Path.fromRoot(settings.latency.table)
    return settings
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
