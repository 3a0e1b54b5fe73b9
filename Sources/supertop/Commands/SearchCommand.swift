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
        supertop photos
        supertop search --preset cifar-small --data ./photos --epochs 30
        supertop search my.yaml --set budget.latency=0.03 --headless --json
        supertop search --space-from fbnet_c --data ./photos --keep 0.6
        supertop search --preset fbnet-v3-digits --constraint 'flops<=150K'

      A folder of images alone picks the rest: the space, the size of the images, batch, epochs \
      and a budget in latency, by the images and by this machine's speed, for about --minutes. It \
      prints what it picks, and the command that does the same.

      A joint search (the presets fbnet-v3) trains candidates, each a network with a recipe of its \
      own. Its run answers other limits from what it has learnt, without any training:

        supertop search runs/fbnet-v3-digits-1 --constraint 'flops<=100K' --constraint 'params<=9K'
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Configuration file; what it leaves out comes from its preset. Or a folder of images; or the "
        + "run of a joint search.",
      valueName: "config.yaml"
    ),
    completion: .file()
  )
  var file: String?

  @Option(
    help: ArgumentHelp(
      "Settings to start from: \(RunSettings.presetNames.joined(separator: ", ")).",
      valueName: "name"
    ),
    completion: .list(RunSettings.presetNames)
  )
  var preset: String?

  @Option(help: dataHelp, completion: .directory)
  var data: String?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "Folder of the new run (default: the next free runs/PRESET-NUMBER).",
      valueName: "dir"
    ),
    completion: .directory
  )
  var runPath: String?

  @Option(
    help: ArgumentHelp(
      "How networks are found: dnas or random; joint, random, architecture or recipe in fbnet-v3.",
      valueName: "name"
    )
  )
  var algorithm: String?

  @Option(
    name: .customLong("space-from"),
    help: ArgumentHelp(
      "Search the widths of this network: of the zoo, a JSON or safetensors file, or a run.",
      valueName: "network"
    ),
    completion: .file()
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

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Limit of a joint search, such as flops<=2M or params<=50K; may be repeated.",
      valueName: "limit"
    )
  )
  var constraint: [String] = []

  @Option(
    help: ArgumentHelp(
      "About how long a search on a folder of images alone may take (default: 30).",
      valueName: "n"
    )
  )
  var minutes: Double?

  @Flag(help: "Make the run and print its folder; resume or farm work starts it.")
  var prepare = false

  @OptionGroup var keys: KeyOptions

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let limits = try constraint.map { try CostLimit($0, option: "--constraint") }
    var first: FirstSearch?
    if let file, isFolder(file) {
      if RunScanner.isRun(file) {
        try checkJoint(file)
        return try JointAnswerPrinter(run: file, json: display.json).print(limits: limits)
      }
      first = try firstSearch(file, limits: limits)
    } else if let minutes {
      throw UserError(
        .usage,
        "--minutes \(Format.number(minutes))",
        "there is no folder of images to pick a search for",
        remedy: "name one, as in supertop photos --minutes 60, or give --epochs"
      )
    }
    let source = try spaceFrom.map { try NetworkSource($0) }
    let settings =
      try first.map { .search(placed($0.settings)) } ?? runSettings(source, limits: limits)
    let start = source?.slimmingWeights
    let folder =
      if let runPath {
        try RunFolder.create(at: runPath, settings: settings, start: start)
      } else {
        try RunFolder.createNext(settings: settings, start: start)
      }
    if let first {
      let store = try folder.store()
      for line in first.lines {
        Output(descriptor: STDERR_FILENO).line(line)
        try store.log(.info, line)
      }
    }
    if prepare { return Output().line(folder.path, linking: folder.path) }
    try TrainingProcess.start(folder, display: display)
  }

  /// Refuses a run that answers no limits: whoever names one wants to see it, or to go on.
  private func checkJoint(_ run: String) throws {
    if case .joint = try RunFolder.open(path: run).settings() { return }
    let word = ShellWord.quoted(run)
    throw UserError(
      .usage,
      run,
      "a run, which is there already",
      remedy: "see it with supertop watch \(word), or continue it with supertop resume \(word)"
    )
  }

  /// The search that suits the images in a folder.
  private func firstSearch(_ folder: String, limits: [CostLimit]) throws -> FirstSearch {
    guard (try RunScanner.runs(in: folder)).isEmpty else {
      throw UserError(
        .usage,
        folder,
        "a folder of runs, not of images",
        remedy: "see them with supertop watch \(ShellWord.quoted(folder))"
      )
    }
    if let data {
      throw UserError(
        .usage,
        "\(folder) --data \(data)",
        "images from two places",
        remedy: "name one of them"
      )
    }
    if let limit = limits.first { throw severalLimits(limit) }
    let minutes = minutes ?? 30
    guard minutes > 0, minutes <= 100_000 else {
      throw UserError(
        .usage,
        "--minutes \(Format.number(minutes))",
        "no time that a search can take",
        remedy: "write it like 60"
      )
    }
    return try FirstSearch(
      folder: folder,
      preset: preset,
      minutes: minutes,
      overrides: (algorithm.map { ["search.algorithm=\($0)"] } ?? [])
        + keys.overrides(epochs: "search.epochs")
    )
  }

  private func severalLimits(_ limit: CostLimit) -> UserError {
    UserError(
      .usage,
      "--constraint \(limit.text)",
      "only a joint search has several limits",
      remedy: "give --set budget.flops=1e6, or take a preset of fbnet-v3"
    )
  }

  /// The settings of a joint search or of another one, as preset or file say.
  func runSettings(_ source: NetworkSource?, limits: [CostLimit]) throws -> RunSettings {
    let isJoint =
      file.map(RunSettings.isJoint) ?? JointConfiguration.presetNames.contains(preset ?? "")
    guard isJoint, source == nil else {
      if let limit = limits.first { throw severalLimits(limit) }
      return .search(try settings(source))
    }
    try checkPlaces(nil)
    var overrides: [String] = []
    for limit in limits {
      guard CostMetric(rawValue: limit.name) != nil else {
        throw UserError(
          .usage,
          "--constraint \(limit.text)",
          "a joint search has no limit in \(limit.name)",
          remedy: "give flops, params or latency"
        )
      }
      overrides.append("budget.\(limit.name)=\(limit.most)")
    }
    overrides += common + keys.overrides(epochs: "recipe.epochs")
    var settings =
      if let file {
        try JointConfiguration.load(path: file, overrides: overrides)
      } else {
        try JointConfiguration.preset(preset ?? "", overrides: overrides)
      }
    settings.data.source = DataSource(settings.data.source).absolute.text
    settings.data.cache = Path.fromRoot(settings.data.cache)
    settings.latency.table = Path.fromRoot(settings.latency.table)
    return .joint(settings)
  }

  /// Overrides by options of their own.
  private var common: [String] {
    (data.map { ["data.source=\($0)"] } ?? [])
      + (algorithm.map { ["search.algorithm=\($0)"] } ?? [])
  }

  /// The settings of preset or file with all overrides, paths made absolute; the space is made of
  /// the widths of `source` where that is given.
  func settings(_ source: NetworkSource? = nil) throws -> Configuration {
    try checkPlaces(source)
    let overrides = common + keys.overrides(epochs: "search.epochs")
    let settings =
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
    return placed(settings)
  }

  /// The settings with paths from the root: a resume may be started from another folder.
  private func placed(_ settings: Configuration) -> Configuration {
    var settings = settings
    settings.data.source = DataSource(settings.data.source).absolute.text
    settings.data.cache = Path.fromRoot(settings.data.cache)
    settings.latency.table = Path.fromRoot(settings.latency.table)
    return settings
  }

  /// Refuses settings from two places, and options that lack what they belong to.
  private func checkPlaces(_ source: NetworkSource?) throws {
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

  /// The file, if it can be a configuration.
  private func existing(_ file: String) throws -> String {
    if let slip = FirstWord(file).slip { throw slip }
    return file
  }
}
