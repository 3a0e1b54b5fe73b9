import ArgumentParser
import Foundation
import Runs

/// `supertop runs`: the runs of a folder, what they are at and in what their settings differ.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List runs: state, progress, accuracy, cost, descent and differing settings.",
    discussion: """
      Of the configuration only the keys that differ between the listed runs are shown. A run that \
      cannot be read has a row with the reason.

      A filter is made of words, key:value and /regex/, joined by AND, OR, NOT and parentheses. \
      Keys are name, path, state, kind, preset, data, parent, and those of the configuration.

        supertop runs
        supertop runs runs/digits-1/derived --filter 'state:finished AND NOT seed:1'
      """
  )

  @Argument(
    help: ArgumentHelp("Folders of runs, or runs (default: runs).", valueName: "folder"),
    completion: .directory
  )
  var folders: [String] = []

  @Option(
    help: ArgumentHelp("List only such runs, such as state:running.", valueName: "expression")
  )
  var filter: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Report: Encodable {
    var event = "runs"
    var differing: [String]
    var runs: [ListedRun]
  }

  func run() throws {
    let filter = try filter.map { try RunFilter($0) }
    let places = try RunPlaces(folders.isEmpty ? ["runs"] : folders)
    let all = RunScanner(places: places.paths).scan()
    let runs = filter.map { $0(all) } ?? all
    let differing = RunOverview.differingKeys(runs)
    if json {
      let listed = runs.map { ListedRun($0, differing: differing) }
      return try Output().json(Report(differing: differing, runs: listed))
    }
    let output = Output()
    guard !runs.isEmpty else {
      let place = places.paths.joined(separator: ", ")
      return output.line(
        all.isEmpty
          ? "no runs in \(place); supertop search starts one"
          : "none of \(Format.counted(all.count, "run")) in \(place) matches the filter"
      )
    }
    printTable(runs, differing, output)
  }

  private func printTable(_ runs: [RunOverview], _ differing: [String], _ output: Output) {
    let head = [
      "run", "kind", "state", "done", "val", "test", "cost", "begun", "from",
    ]
    let rows = runs.map { run -> [String] in
      let from = run.parent.map { parent in
        Path.name(parent) + (run.parentStep.map { " at step \($0)" } ?? "")
      }
      let cells = [
        run.name, run.kind?.rawValue ?? "-", run.state.rawValue,
        run.state == .unreadable ? "-" : Format.percent(run.progress, digits: 0),
        run.validationAccuracy.map { Format.percent($0) } ?? "-",
        run.testAccuracy.map { Format.percent($0) } ?? "-",
        run.cost.map(run.metric.short) ?? "-", run.begun.map(Self.time) ?? "-", from ?? "-",
      ]
      return cells + differing.map { run.text(of: $0).map(Self.brief) ?? "-" }
        + [run.problem ?? ""]
    }
    let keys = differing.map { Self.short($0, among: differing) }
    let left: Set = [0, 1, 2, 7, 8, head.count + differing.count]
    output.text(
      TextTable.aligned(
        [head + keys + [""]] + rows,
        left: left,
        width: output.terminal?.columns,
        // What a narrow terminal can miss first: the settings from the last, then time and descent.
        dropping: differing.indices.reversed().map { head.count + $0 } + [7, 8, 5, 1, 6]
      )
    )
  }

  /// A value as a cell, cut off where it is long, as a list of stages is: else no terminal would
  /// have room for the settings behind it.
  private static func brief(_ value: String) -> String {
    value.count > 24 ? value.prefix(23) + "…" : value
  }

  /// A key by its last part, where no other shown key ends in it.
  private static func short(_ key: String, among keys: [String]) -> String {
    func last(_ key: String) -> Substring { key.split(separator: ".").last ?? "" }
    return keys.count { last($0) == last(key) } == 1 ? String(last(key)) : key
  }

  /// Day and time here.
  private static func time(_ seconds: Double) -> String {
    var (time, parts) = (time_t(seconds), tm())
    localtime_r(&time, &parts)
    let day = "\(parts.tm_year + 1900)-" + Format.padded(Int(parts.tm_mon) + 1, 2)
    return day + "-" + Format.padded(Int(parts.tm_mday), 2) + " "
      + Format.padded(Int(parts.tm_hour), 2) + ":" + Format.padded(Int(parts.tm_min), 2)
  }
}

/// A run in JSON; the names of the fields are a contract with scripts.
struct ListedRun: Encodable {
  /// A key of the configuration in which the listed runs differ.
  struct Setting: Encodable {
    var key: String
    var value: String
  }

  var name: String
  var run: String
  var state: String
  var problem: String?
  var kind: String?
  var preset: String?
  var data: String?
  var progress: Double?
  var step: Int?
  var totalSteps: Int?
  var epoch: Int?
  var epochs: Int?
  var validationAccuracy: Double?
  var testAccuracy: Double?
  var costMetric: String?
  var cost: Double?
  var begunAt: Double?
  var parent: String?
  var parentStep: Int?
  var settings: [Setting]

  init(_ run: RunOverview, differing: [String]) {
    name = run.name
    self.run = Path.absolute(run.path)
    state = run.state.rawValue
    problem = run.problem
    settings = differing.compactMap { key in
      run.value(of: key).map { Setting(key: key, value: $0) }
    }
    guard run.state != .unreadable else { return }
    kind = run.kind?.rawValue
    preset = run.preset
    data = run.data
    progress = run.progress
    step = run.status?.step
    totalSteps = run.status?.totalSteps
    epoch = run.status?.epoch
    epochs = run.status?.epochs
    validationAccuracy = run.validationAccuracy
    testAccuracy = run.testAccuracy
    costMetric = run.cost == nil ? nil : run.metric.rawValue
    cost = run.cost
    begunAt = run.begun
    parent = run.parent
    parentStep = run.parentStep
  }

  enum CodingKeys: String, CodingKey {
    case name, run, state, problem, kind, preset, data, progress, step, epoch, epochs, cost, parent
    case settings
    case totalSteps = "total_steps"
    case validationAccuracy = "val_accuracy"
    case testAccuracy = "test_accuracy"
    case costMetric = "cost_metric"
    case begunAt = "begun_at"
    case parentStep = "parent_step"
  }
}
