import ArgumentParser
import Dashboard
import Foundation
import Runs

/// `supertop compare RUN RUN…`: what runs came to, side by side (spec S12).
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare the networks of several runs: accuracy against cost.",
    discussion: """
      Accepts searches, random searches and trainings; unfinished ones show their latest figures. \
      The plot has a letter for each network and the Pareto front of accuracy and cost. The \
      network of a search is evaluated with the weights of its search, that of a training with its \
      own. A random search reports the best of its sampled networks; the row below it, random \
      sampling, gives the mean and deviation of all of them.

        supertop compare runs/digits-1 runs/digits-2
        supertop compare runs/* --cost latency --out pareto.svg
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Folders of the runs (default: the newest in runs, and the trainings of its networks).",
      valueName: "run"
    ),
    completion: .directory
  )
  var paths: [String] = []

  @Option(
    help: ArgumentHelp(
      "Cost axis: flops, params or latency (default: the budget's, else latency if known).",
      valueName: "metric"
    )
  )
  var cost: CostMetric?

  @Option(
    help: ArgumentHelp("Also write the plot as an SVG file.", valueName: "file.svg"),
    completion: .file()
  )
  var out: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Draw with ASCII characters only.")
  var ascii = false

  func run() throws {
    let paths = try paths.isEmpty ? newest() : paths
    var runs = try paths.map { try ComparedRun(RunFolder.open(path: $0)) }
    ComparedRun.shareLatencies(&runs)
    let metric = cost ?? ComparedRun.usualMetric(runs)
    let shown = runs.indices.filter { runs[$0].accuracy != nil && runs[$0].cost(metric) != nil }
    let chart = ParetoChart(
      points: shown.compactMap { index in
        guard let accuracy = runs[index].accuracy, let cost = runs[index].cost(metric) else {
          return nil
        }
        return ParetoChart.Point(
          mark: CompareCommand.mark(index),
          name: runs[index].name,
          cost: cost,
          accuracy: accuracy,
          isRetrained: runs[index].retrainedAccuracy != nil
        )
      },
      metric: metric
    )
    for index in chart.front { runs[shown[index]].isOnFront = true }
    if let out { try writeWhole(chart.svg, to: out) }
    let output = Output(beside: out)
    json ? try printJSON(runs, metric, output) : printTable(runs, chart, output)
  }

  /// The newest run, and the trainings of the networks that were derived from it.
  private func newest() throws -> [String] {
    let run = try NewestRun.path(nil)
    let derived = run + "/derived"
    guard isFolder(derived) else { return [run] }
    return try [run]
      + RunScanner.runs(in: derived).map { try "\(derived)/\($0.name(in: derived))" }
  }

  private static func mark(_ index: Int) -> Character {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return letters[index % letters.count]
  }

  private func printJSON(_ runs: [ComparedRun], _ metric: CostMetric, _ output: Output) throws {
    struct Report: Encodable {
      var event = "done"
      var metric: CostMetric
      var runs: [ComparedRun]
    }
    try output.json(Report(metric: metric, runs: runs))
  }

  private func printTable(_ runs: [ComparedRun], _ chart: ParetoChart, _ output: Output) {
    let none = "-"
    var rows = [
      [
        "", "run", "algorithm", "val", "alone", "retrained", "FLOPs", "params", "latency", "epochs",
        "time", "",
      ]
    ]
    for (index, run) in runs.enumerated() {
      func share(_ value: Double?) -> String { value.map { Format.percent($0) } ?? none }
      rows.append([
        "\(CompareCommand.mark(index))\(run.isOnFront ? "*" : " ")", run.name, run.algorithm,
        share(run.validationAccuracy), share(run.argmaxAccuracy), share(run.retrainedAccuracy),
        run.flops.map(Format.count) ?? none, run.params.map(Format.count) ?? none,
        run.latency.map(Format.milliseconds) ?? none, "\(run.epochs)",
        Format.duration(run.seconds), run.isFinished ? "" : "unfinished: \(run.state)",
      ])
      if let networks = run.sampledNetworks, let mean = run.sampledMean {
        rows.append(
          ["", "\(run.name), mean of \(networks)", "sampling", none, Format.percent(mean)]
            + [String](repeating: none, count: 6)
            + ["deviation \(Format.percent(run.sampledDeviation ?? 0))"]
        )
      }
    }
    // Names to the left, numbers to the right. What a narrow terminal can miss first: time, epochs,
    // params.
    let left: Set = [0, 1, 2, 11]
    let width = output.terminal?.columns
    output.text(TextTable.aligned(rows, left: left, width: width, dropping: [10, 9, 7, 2]))
    output.line("")
    for (index, run) in runs.enumerated() {
      output.line("\(CompareCommand.mark(index))  \(run.network)")
    }
    guard !chart.points.isEmpty else { return }
    output.line("")
    for line in chart.text(width: min(width ?? 80, 120), height: 20, ascii: ascii)
      .split(separator: "\n", omittingEmptySubsequences: false)
    {
      output.line(String(line))
    }
    output.line("* on the front: no other network is both cheaper and at least as good")
  }
}

extension CostMetric: ExpressibleByArgument {}
