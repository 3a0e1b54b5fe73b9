import ArgumentParser
import Foundation
import Runs
import Search

/// `supertop report RUN`: the candidates of a joint search as a table (spec S46), or how well a
/// search keeps to the practices of the field.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print the candidates of a joint search, or what a search lacks to be trusted.",
    discussion: """
      Live or finished. The best by validation accuracy come first; --csv and --json keep the \
      order in which they were picked and give every option, the recipe and the learning curve.

      With --checklist, of any search: the fourteen practices of Lindauer and Hutter (JMLR 2020), \
      what the run and those beside it show of each, and what is missing.

        supertop report runs/fbnet-v3-digits-1
        supertop report runs/digits-1 --checklist
        supertop report runs/fbnet-v3-digits-1 --csv > candidates.csv
      """
  )

  @Argument(
    help: ArgumentHelp("Folder of the search.", valueName: "run"),
    completion: .directory
  )
  var path: String

  @Flag(help: "Print a CSV table with a column for each choice.")
  var csv = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print the checklist of good practice for a search.")
  var checklist = false

  private struct Report: Encodable {
    var run: String
    var choices: [Choice]
    var candidates: [TrialRecord]
    var progress: JointProgress?
  }

  func validate() throws {
    if csv, json { throw ValidationError("--csv --json: give one of them") }
    if csv, checklist { throw ValidationError("--csv --checklist: give one of them") }
  }

  func run() throws {
    let folder = try RunFolder.open(path: path)
    if checklist {
      let list = try Checklist(folder)
      return try json ? Output().json(list) : Output().text(list.text)
    }
    guard case .joint(let settings) = try folder.settings() else {
      throw UserError(
        .data,
        folder.path,
        "no joint search, so it has no candidates",
        remedy: "name a run of fbnet-v3, or see supertop compare"
      )
    }
    let reader = try folder.reader()
    let report = Report(
      run: folder.absolutePath,
      choices: try reader.choices(),
      candidates: try reader.trials(),
      progress: try reader.jointProgress()
    )
    if json { return try Output().json(report) }
    Output().text(csv ? table(report) : text(report, settings))
  }

  private func table(_ report: Report) -> String {
    let head =
      ["candidate", "stage", "round", "state", "resolution", "flops", "params", "predicted"]
      + ["spread", "val_accuracy", "test_accuracy", "epochs", "seconds"]
      + report.choices.map(\.id) + ["val_accuracies", "message", "latency_ms"]
    func text<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "" }
    let rows = report.candidates.map { trial -> [String] in
      var row = [
        "\(trial.number)", trial.stage.rawValue, "\(trial.round)", trial.state.rawValue,
        "\(trial.resolution)", "\(Int(trial.flops))", "\(Int(trial.params))",
      ]
      row += [trial.predicted, trial.spread, trial.accuracies.last, trial.top1].map(text)
      row += ["\(trial.accuracies.count)", "\(trial.seconds)"]
      row += zip(report.choices, trial.options).map { $0.options[$1].name }
      return row + [
        trial.accuracies.map(text).joined(separator: " "), trial.message, text(trial.latency),
      ]
    }
    return ([head] + rows).map { $0.map(CSVText.cell).joined(separator: ",") + "\n" }.joined()
  }

  private func text(_ report: Report, _ settings: JointConfiguration) -> String {
    var rows = [
      ["", "stage", "state", "predicted", "val", "test", "FLOPs", "params", "latency", "px"]
    ]
    // Where nothing has a latency, there is no column of it.
    let isTimed = report.candidates.contains { $0.latency != nil }
    if !isTimed { rows[0].removeAll { $0 == "latency" } }
    rows[0].append("recipe")
    let order = report.candidates.sorted {
      ($0.accuracies.last ?? -1, $1.number) > ($1.accuracies.last ?? -1, $0.number)
    }
    for trial in order {
      rows.append([
        "\(trial.number)",
        trial.stage == .coarse ? "round \(trial.round + 1)" : trial.stage.rawValue,
        trial.state == .finished
          ? Format.counted(trial.accuracies.count, "epoch") : trial.state.rawValue,
        trial.predicted.map { Format.percent($0) } ?? "",
        trial.accuracies.last.map { Format.percent($0) } ?? "",
        trial.top1.map { Format.percent($0) } ?? "", Format.count(trial.flops),
        Format.count(trial.params),
      ])
      if isTimed {
        rows[rows.count - 1].append(trial.latency.map { Format.milliseconds($0) } ?? "")
      }
      rows[rows.count - 1] += ["\(trial.resolution)", trial.recipe.summary]
    }
    var lines = TextTable.aligned(rows, left: [1, 2, rows[0].count - 1])
    if let early = report.progress?.earlyRanks, let stop = report.progress?.stopEpoch {
      lines +=
        "early stop after \(Format.counted(stop, "epoch")) of \(settings.recipe.epochs) "
        + "(rank correlation by epoch "
        + early.accuracy.map { Format.fixed($0, 2) }.joined(separator: " ") + "; best quarter "
        + (early.bestQuarter?.map { Format.fixed($0, 2) }.joined(separator: " ") ?? "too few")
        + "; sums of training losses "
        + early.lossSum.map { Format.fixed($0, 2) }.joined(separator: " ") + ")\n"
    }
    if let held = report.progress?.held.last {
      lines +=
        "predictor: rank correlation \(Format.fixed(held.spearman, 2)) (Spearman), "
        + "\(Format.fixed(held.kendall, 2)) (Kendall) on candidates it had not seen, "
        + "of \(held.candidates)\n"
    }
    return lines
  }
}
