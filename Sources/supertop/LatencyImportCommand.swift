import ArgumentParser
import Foundation
import Runs
import Search

/// `supertop latency import`: a table of another device.
struct LatencyImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a table from timings of another device.",
    discussion: """
      The file is CSV with the columns block, height, width, input, output, stride, milliseconds and, if known, \
      spread: a row for each candidate at each input (pixels and channels) of the space, and rows 'stem' and \
      'rest' (head, mean and classifier) or one row 'fixed' for both. A JSON list of objects with these keys, or \
      a table of 'latency measure', does as well. Documentation/latency-table.md has examples.
      """
  )

  @Argument(help: ArgumentHelp("The timings.", valueName: "file"))
  var timings: String

  @OptionGroup var space: LatencySpaceOptions

  @Option(help: ArgumentHelp("The device's name.", valueName: "name"))
  var device: String

  @Option(help: ArgumentHelp("The new table (default: latency-DEVICE.json).", valueName: "file"))
  var out: String?

  func run() throws {
    let macro = try space.macro()
    let table = try LatencyTable.imported(path: timings, for: macro, device: device)
    try LatencyImportCommand.finish(table, for: macro, out: out)
  }

  /// Writes a new table and says what the doctor thinks of it.
  static func finish(_ table: LatencyTable, for macro: MacroArchitecture, out: String?) throws {
    let name = table.device.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    let path = out ?? "latency-\(name).json"
    try table.write(to: path)
    let range = try table.prices(for: macro, place: path).range
    let output = Output()
    output.line("\(table.entries.count) cells of \(table.device); table: \(path)")
    output.line(
      String(
        format: "networks take %.3f to %.3f ms",
        range.lowerBound,
        range.upperBound
      )
    )
    LatencyFindings(findings: try LatencyGrid(table, for: macro, place: path).findings).show(output)
  }
}
