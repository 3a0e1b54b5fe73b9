import ArgumentParser
import Dashboard
import Foundation
import Runs
import Search
import Tensor

/// `supertop latency`: how long the blocks of a space take.
struct LatencyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "Measure, show, check or import a table of latencies.",
    discussion: """
      A table holds the milliseconds of every block at every place of a space, so that a search \
      can take a network's latency as the sum of its blocks. Documentation/latency-table.md \
      describes the file.

        supertop latency measure --preset cifar-small --threads 1
        supertop latency check --preset cifar-small --threads 1 --networks 30
        supertop latency import phone.csv --preset cifar --device "Pixel 3"
      """,
    subcommands: [
      LatencyMeasureCommand.self, LatencyShowCommand.self, LatencyCheckCommand.self,
      LatencyImportCommand.self,
    ]
  )
}

/// Which space a table is for; the same settings as a search has.
struct LatencySpaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings of the space: "
        + (Configuration.presetNames + JointConfiguration.presetNames).joined(separator: ", ")
        + ".",
      valueName: "name"
    ),
    completion: .list(Configuration.presetNames + JointConfiguration.presetNames)
  )
  var preset: String?

  @Option(help: dataHelp, completion: .directory)
  var data: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Override any key, such as data.resolution=64; may be repeated.",
      valueName: "key.path=value"
    )
  )
  var assignments: [String] = []

  @Option(
    name: .customLong("space-from"),
    help: ArgumentHelp("The widths of this network, as in a search of them.", valueName: "network"),
    completion: .file()
  )
  var spaceFrom: String?

  @Option(help: ArgumentHelp("Fractions of its widths, with --space-from.", valueName: "list"))
  var widths: String?

  /// Whether any of them was given.
  var isGiven: Bool {
    preset != nil || data != nil || spaceFrom != nil || !assignments.isEmpty
  }

  /// The settings, as a search would have them.
  private func runSettings(file: String? = nil) throws -> RunSettings {
    var arguments = file.map { [$0] } ?? []
    if let widths { arguments += ["--widths", widths] }
    if let preset { arguments += ["--preset", preset] }
    if let data { arguments += ["--data", data] }
    for assignment in assignments { arguments += ["--set", assignment] }
    return try SearchCommand.parse(arguments)
      .runSettings(spaceFrom.map { try NetworkSource($0) }, limits: [])
  }

  /// The space with the images that its data have.
  ///
  /// The number of classes moves the classifier's time by microseconds; tables are not told apart
  /// by it.
  func space(file: String? = nil) throws -> any TimedSpace {
    switch try runSettings(file: file) {
    case .joint(let settings):
      return try JointNetworks(
        settings,
        channels: DataSource(settings.data.source).channels,
        classes: classes(settings.data.source, settings.preset)
      )
    case .search(let settings): return space(of: settings)
    case .training(let settings):
      throw UserError(.usage, settings.network, "a training has no space", remedy: "name a search")
    }
  }

  /// The space of a supernet with the images that its data have.
  ///
  /// Errors: `.usage` for a joint search.
  func supernetSpace() throws -> any LatencySpace {
    guard case .search(let settings) = try runSettings() else {
      throw UserError(
        .usage,
        "--preset \(preset ?? "")",
        "the networks of a joint search have too many different blocks for a table made by hand",
        remedy: "run supertop latency measure on the device, or take a preset such as cifar"
      )
    }
    return space(of: settings)
  }

  private func space(of settings: Configuration) -> any LatencySpace {
    settings.space.laidOut(
      classes: classes(settings.data.source, settings.preset),
      channels: DataSource(settings.data.source).channels,
      height: settings.data.resolution,
      width: settings.data.resolution
    )
  }

  private func classes(_ source: String, _ preset: String) -> Int {
    if case .folder(let path) = DataSource(source),
      let folders = names(in: path + "/train"), !folders.isEmpty
    {
      return folders.count { !$0.hasPrefix(".") }
    }
    return ["imagenet", "fbnet-v3"].contains(preset) ? 1000 : 10
  }
}

/// How sure a timing must be.
struct LatencyPrecisionOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Largest spread to accept: half the 95 % confidence interval of a median (default: 0.05; "
        + "timing stops at 0.02).",
      valueName: "share"
    )
  )
  var spread: Double?

  /// The precision meant, checked.
  func precision() throws -> LatencyPrecision {
    if let spread, !(0.001...1).contains(spread) {
      throw UserError(
        .usage,
        "--spread \(spread)",
        "not a possible spread",
        remedy: "give a share from 0.001 to 1, such as 0.05"
      )
    }
    return LatencyPrecision(accepted: spread)
  }
}

/// The diagnostics of a table, on a terminal and in JSON.
struct LatencyFindings {
  let findings: [LatencyDiagnostics.Finding]

  /// Prints them, or that there are none.
  func show(_ output: Output = Output()) {
    if findings.isEmpty { return output.line("the diagnostics found nothing suspicious") }
    for finding in findings { output.line("\(finding.grade.rawValue): \(finding.text)") }
  }

  /// For the JSON object.
  var reports: [Report] {
    findings.map { Report(grade: $0.grade.rawValue, text: $0.text) }
  }

  struct Report: Encodable {
    var grade: String
    var text: String
  }
}
