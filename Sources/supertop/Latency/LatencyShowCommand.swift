import ArgumentParser
import Foundation
import Runs
import Search

/// `supertop latency show`: a table as a heat map.
struct LatencyShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a table of latencies as a heat map, with its diagnostics.",
    discussion: """
      With --preset the rows are the layers of that space and the table must fit it, else they are \
      the shapes that the file holds. A space of widths has a row for each block and resolution: \
      its time with all widths at 0 to 100 % of their options (w), then the widest with each other \
      kernel, squeeze-and-excite (se) and activation. Colours run from the cheapest to the most \
      expensive cell on a logarithmic scale; without colours (NO_COLOR, no terminal) bars follow \
      the numbers.
      """
  )

  @Argument(help: ArgumentHelp("The table.", valueName: "file"), completion: .file())
  var table: String

  @OptionGroup var spaceOptions: LatencySpaceOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  /// The names are those of the JSON object.
  struct Report: Encodable {
    var device: String
    var threads: Int?
    var isa: String?
    var date: String
    var fixedMs: Double
    var leastMs: Double
    var mostMs: Double
    var candidates: [String]
    var rows: [Row]
    var findings: [LatencyFindings.Report]

    /// A layer or a shape; null where the table has no cell.
    struct Row: Encodable {
      var name: String
      var shape: String
      var ms: [Double?]
      var spread: [Double?]
    }
  }

  func run() throws {
    let table = try LatencyTable.load(path: table)
    let grid =
      try spaceOptions.isGiven
      ? spaceOptions.space().latencyGrid(table, place: self.table) : LatencyGrid(table)
    let findings = LatencyFindings(findings: grid.findings)
    if json { return try show(grid, table, findings) }
    let output = Output()
    var head = table.device
    if let isa = table.isa { head += ", \(isa)" }
    if let threads = table.threads { head += ", " + Format.counted(threads, "thread") }
    if !table.date.isEmpty { head += ", \(table.date)" }
    output.line(head)
    output.raw(
      LatencyHeatMap(grid).text(
        colour: LatencyHeatMap.hasColour,
        width: output.terminal?.columns
      )
    )
    output.line(
      "fixed parts \(Format.fixed(grid.fixed, 3)) ms; networks take "
        + "\(Format.fixed(grid.range.lowerBound, 3)) to "
        + "\(Format.fixed(grid.range.upperBound, 3)) ms"
    )
    findings.show(output)
  }

  private func show(_ grid: LatencyGrid, _ table: LatencyTable, _ findings: LatencyFindings) throws
  {
    let report = Report(
      device: table.device,
      threads: table.threads,
      isa: table.isa,
      date: table.date,
      fixedMs: grid.fixed.rounded(to: 6),
      leastMs: grid.range.lowerBound.rounded(to: 6),
      mostMs: grid.range.upperBound.rounded(to: 6),
      candidates: grid.candidates,
      rows: grid.rows.map {
        Report.Row(
          name: $0.name,
          shape: $0.detail,
          ms: $0.milliseconds.map { $0?.rounded(to: 6) },
          spread: $0.spread
        )
      },
      findings: findings.reports
    )
    try Output().json(report, keys: .convertToSnakeCase)
  }
}

/// Numbers in cells, each on a colour or next to a bar that shows how expensive it is.
struct LatencyHeatMap {
  private let grid: LatencyGrid
  /// Logarithms of the cheapest and the most expensive cell that costs anything.
  private let range: (least: Double, most: Double)

  init(_ grid: LatencyGrid) {
    self.grid = grid
    let logs = grid.rows.flatMap(\.milliseconds).compactMap { $0 }.filter { $0 > 0 }.map(log)
    range = (logs.min() ?? 0, logs.max() ?? 0)
  }

  /// Whether standard output shows colours and the user wants them (no-color.org).
  static var hasColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    let term = environment["TERM"] ?? ""
    return isatty(STDOUT_FILENO) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && !term.isEmpty
      && term != "dumb"
  }

  /// From cheap to dear in xterm's palette, with the colour of the text on it.
  private static let colours = [
    (17, 255), (18, 255), (24, 255), (30, 255), (29, 255), (64, 255), (106, 16), (142, 16),
    (178, 16), (208, 16), (202, 16), (196, 16),
  ]
  private static let bars = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// The lines of the map with the terminal's sequences for its colours; where `width` is too
  /// narrow for all candidates, in bands of some of them.
  func text(colour: Bool, width: Int? = nil) -> String {
    let names = grid.rows.map {
      ($0.name.isEmpty ? $0.detail : "\($0.name)  \($0.detail)").printable()
    }
    let candidates = grid.candidates.map { $0.printable() }
    let first = names.map(\.count).max() ?? 0
    let cell = max(6, candidates.map(\.count).max() ?? 0)
    let band = max(1, width.map { ($0 - first - 1) / (cell + 2) } ?? candidates.count)
    let bands = stride(from: 0, to: candidates.count, by: band).map { start in
      let columns = start..<min(start + band, candidates.count)
      var lines = [
        String(repeating: " ", count: first) + "  "
          + candidates[columns].map { padded($0, cell) + " " }.joined(separator: " ")
      ]
      for (name, row) in zip(names, grid.rows) {
        let cells = row.milliseconds[columns].map { shown($0, width: cell, colour: colour) }
        lines.append(
          name + String(repeating: " ", count: first - name.count) + "  "
            + cells.joined(separator: " ")
        )
      }
      return lines.joined(separator: "\n") + "\n"
    }
    return bands.joined(separator: "\n")
  }

  /// A cell and its bar, or the cell on its colour.
  private func shown(_ value: Double?, width: Int, colour: Bool) -> String {
    guard let value else { return padded("-", width) + " " }
    let number = padded(Format.fixed(value, 4), width)
    let share = share(value)
    guard colour else { return number + LatencyHeatMap.bars[Int((share * 8).rounded())] }
    guard value > 0 else { return number + " " }
    let all = LatencyHeatMap.colours
    let (back, text) = all[Int((share * Double(all.count - 1)).rounded())]
    return "\u{1B}[48;5;\(back);38;5;\(text)m\(number) \u{1B}[0m"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// 0 for the cheapest cell, 1 for the most expensive, by logarithm.
  private func share(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    return range.most > range.least ? (log(value) - range.least) / (range.most - range.least) : 0.5
  }
}
