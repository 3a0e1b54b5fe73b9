import ArgumentParser
import Data
import Foundation
import Runs
import Search

/// `supertop latency import`: a table of another device.
struct LatencyImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a table from timings of another device.",
    discussion: """
      The file is CSV with the columns block, height, width, input, output, stride, milliseconds \
      and, if known, spread: a row for each candidate at each input (pixels and channels) of the \
      space, and rows 'stem' and 'rest' (head, mean and classifier) or one row 'fixed' for both. A \
      JSON list of objects with these keys, or a table of 'latency measure', works as well. \
      Documentation/latency-table.md has examples.

      With --fit the table is fitted to the times of whole networks instead: CSV with a \
      column arch (one digit a layer, the index of its candidate) and one column of milliseconds \
      for each device. The last fifth of the networks is held out to measure the error; 200 to \
      400 others are enough. Whole networks reveal only differences within a layer, so the \
      cheapest candidate of each layer gets 0 and its time is part of the fixed row.
      """
  )

  @Argument(help: ArgumentHelp("The timings.", valueName: "file"), completion: .file())
  var timings: String?

  @Option(
    help: ArgumentHelp("Fit the table to this file of whole networks' times.", valueName: "file"),
    completion: .file()
  )
  var fit: String?

  @OptionGroup var spaceOptions: LatencySpaceOptions

  @Option(help: ArgumentHelp("The device's name; with --fit its column.", valueName: "name"))
  var device: String

  @Option(
    help: ArgumentHelp("The new table (default: latency-DEVICE.json).", valueName: "file"),
    completion: .file()
  )
  var out: String?

  @Option(help: ArgumentHelp("With --fit, how many networks (default: all).", valueName: "n"))
  var networks: Int?

  @Option(help: ArgumentHelp("With --networks, which ones.", valueName: "n"))
  var seed: UInt64 = 0

  func run() throws {
    let space = try spaceOptions.supernetSpace()
    if let fit {
      guard timings == nil else {
        throw UserError(.usage, "--fit \(fit)", "two files", remedy: "give the timings or --fit")
      }
      guard let layers = space as? LayerwiseSpace else {
        throw UserError(
          .usage,
          "--fit \(fit)",
          "what a width costs depends on its neighbours, which no fit of layers shows",
          remedy: "name a preset that chooses blocks, such as cifar"
        )
      }
      return try run(fit: CSVTable(path: fit), layers)
    }
    guard let timings else {
      throw UserError(.usage, "import", "which timings?", remedy: "name a file, or one with --fit")
    }
    let table = try LatencyTable.imported(path: timings, for: space, device: device)
    try LatencyImportCommand.finish(table, for: space, out: out)
  }

  private func run(fit table: CSVTable, _ space: LayerwiseSpace) throws {
    let fit = try LatencyFit(
      table,
      device: device,
      sizes: space.layers.map(\.count),
      networks: networks,
      seed: seed
    )
    try LatencyImportCommand.finish(fit.latencyTable(for: space), for: space, out: out)
    Output(beside: out).line(
      "fitted to \(Format.counted(fit.fitted, "network")); on \(fit.heldOut) others: "
        + "R2 \(Format.fixed(fit.quality.r2, 3)), "
        + "Spearman \(Format.fixed(fit.quality.spearman, 3)), "
        + "mean error \(Format.fixed(fit.quality.meanError, 2)) %"
    )
  }

  /// Writes a new table and prints its diagnostics.
  static func finish(_ table: LatencyTable, for space: any LatencySpace, out: String?) throws {
    let name = table.device.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    let path = out ?? "latency-\(name).json"
    try table.write(to: path)
    let grid = try space.latencyGrid(table, place: path)
    let output = Output(beside: out)
    output.line("\(Format.counted(table.entries.count, "cell")) of \(table.device); table: \(path)")
    output.line(
      "networks take \(Format.fixed(grid.range.lowerBound, 3)) to "
        + "\(Format.fixed(grid.range.upperBound, 3)) ms"
    )
    LatencyFindings(findings: grid.findings).show(output)
  }
}
