import Foundation
import Runs
import Search

/// The derived networks as lines, on a terminal again and again in one place.
final class DeriveTable {
  /// Best first, as far as that is known.
  var records: [DerivedRecord] = []
  private let metric: Configuration.SearchSettings.Cost
  private let limit: Double?
  private let inherits: Bool
  private let output = Output(descriptor: STDERR_FILENO)
  private let isTerminal = Ticker().isShown
  private var shown = ""

  init(metric: Configuration.SearchSettings.Cost, limit: Double?, inherits: Bool) {
    self.inherits = inherits
    self.metric = metric
    self.limit = limit
  }

  /// Draws the table over the previous one; nothing without a terminal.
  func show() {
    let text = text(isLive: true)
    guard isTerminal, text != shown else { return }
    hide()
    output.text(text)
    shown = text
  }

  /// Removes the drawn table.
  func hide() {
    guard !shown.isEmpty else { return }
    let lines = shown.split(separator: "\n").count
    output.raw("\u{1B}[\(lines)A\u{1B}[J")
    shown = ""
  }

  /// The table, without the columns of least use where the terminal is narrow; a live one is cut to
  /// the terminal, so that a line is a line.
  func text(isLive: Bool) -> String {
    let hasLatency = records.contains { $0.latency != nil }
    var rows = [["", "network", "from", "changed", "log P", "FLOPs", "params"]]
    if hasLatency { rows[0] += ["table", "timed"] }
    let isTuned = records.contains { $0.tunedLoss != nil }
    rows[0] += ["val"] + (isTuned ? ["tuned"] : []) + ["epochs", "trained", "top-1"]
    for (index, record) in records.enumerated() {
      func share(_ value: Double?) -> String {
        value.map { Format.spacedPercent($0) } ?? "-"
      }
      func milliseconds(_ value: Double?) -> String {
        value.map { Configuration.SearchSettings.Cost.latency.text($0) } ?? "-"
      }
      var row = [
        "\(index + 1)", record.name, record.source,
        record.changes.isEmpty ? "-" : "\(record.changes.count)",
        Format.fixed(record.logProbability, 1), millions(record.flops),
        millions(record.params),
      ]
      if hasLatency {
        row += [milliseconds(record.latency), milliseconds(record.measuredLatency)]
      }
      row.append(share(record.accuracy))
      if isTuned { row.append(record.tunedLoss.map { Format.fixed($0, 3) } ?? "-") }
      row += [
        record.epochs.map { "\($0[0])/\($0[1])" } ?? "-",
        share(record.trainedAccuracy), share(record.top1),
      ]
      rows.append(row)
    }
    let terminal = isLive ? output.terminal : Output().terminal
    let table = TextTable.aligned(
      rows,
      left: [1, 2],
      width: terminal.map { $0.columns - 1 },
      dropping: [4, 6, 5, 3]
    )
    let budget =
      limit.map { "budget \(metric.text($0)); changed: layers, to be within it\n" } ?? ""
    let note =
      budget
      + "val: with the search's weights, images that train none; "
      + (isTuned ? "tuned: loss of the first epoch from them, which ranks; " : "")
      + "trained: from "
      + (inherits ? "them" : "scratch") + ", validation images; "
      + "top-1: test images\n"
    guard isLive else { return table + note }
    let height = max(3, (terminal?.rows ?? 24) - 2)
    let width = max(20, (terminal?.columns ?? 80) - 1)
    return (table + note).split(separator: "\n").prefix(height).map { $0.prefix(width) + "\n" }
      .joined()
  }

  private func millions(_ count: Double) -> String { Format.fixed(count / 1e6, 2) + " M" }
}
