import ArgumentParser
import Foundation
import Runs
import Search
import Tensor

/// `supertop bench`: how fast this machine runs what a search is made of.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the engine on this machine.",
    discussion: """
      Every measurement runs on synthetic data and needs no files. With --json a measurement prints one \
      JSON object. FLOPs are two for each multiply-accumulate of a convolution or linear layer.
      """,
    subcommands: [
      BenchSupernetCommand.self
    ]
  )
}

/// What every measurement may be told.
struct BenchOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Worker threads; 0 means one for each core.", valueName: "n")
  )
  var threads = 0

  @Option(
    help: ArgumentHelp(
      "Instruction set: baseline, avx2 or avx512 (default: the best of this machine).",
      valueName: "set"
    )
  )
  var isa: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  /// The number of threads meant, checked.
  func checkedThreads() throws -> Int {
    try check(threads, in: 0...1024, "--threads", "threads")
    return threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
  }

  /// The instruction set meant, checked against the machine.
  func instructionSet() throws -> InstructionSet {
    guard let isa else { return .chosen }
    let names = InstructionSet.allCases.filter(InstructionSet.available.contains)
      .map(\.rawValue).joined(separator: ", ")
    guard let set = InstructionSet(rawValue: isa) else {
      throw UserError(
        .usage,
        "--isa \(isa)",
        "no such instruction set",
        remedy: "this machine has \(names)"
      )
    }
    guard InstructionSet.available.contains(set) else {
      throw UserError(
        .unavailable,
        "--isa \(isa)",
        "this machine cannot run it",
        remedy: "it has \(names)"
      )
    }
    return set
  }

  /// Prints `report` as JSON, or `table` for people.
  func show(_ report: some Encodable, table: [[String]]) throws {
    guard json else { return Output().text(BenchTable.text(table)) }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Output().line(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  /// Refuses a number outside `range` with one line.
  func check(_ value: Int, in range: ClosedRange<Int>, _ option: String, _ unit: String) throws {
    guard range.contains(value) else {
      throw UserError(
        .usage,
        "\(option) \(value)",
        "not a possible number of \(unit)",
        remedy: "give \(range.lowerBound) to \(range.upperBound)"
      )
    }
  }
}

/// Which network's step or shapes are measured.
struct BenchNetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The network: \(Configuration.presetNames.joined(separator: ", ")).",
      valueName: "name"
    )
  )
  var preset = "cifar-small"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images of a step.", valueName: "n")
  )
  var batch = 64
}

/// Sorted measurements of the same thing.
struct BenchTimes {
  /// Seconds, ascending, at least one.
  private let seconds: [Double]

  /// Takes over measurements in any order.
  init(_ seconds: [Double]) {
    precondition(!seconds.isEmpty, "BenchTimes: nothing measured")
    self.seconds = seconds.sorted()
  }

  /// Runs `work` until `seconds` have passed and at least `least` times, after one run that is not counted.
  init(seconds: Double, least: Int = 3, _ work: () -> Void) {
    work()
    let clock = ContinuousClock()
    let start = clock.now
    var all: [Double] = []
    while all.count < least || (clock.now - start).inSeconds < seconds {
      all.append(clock.measure(work).inSeconds)
    }
    self.init(all)
  }

  /// The middle one, or the mean of the middle two.
  var median: Double {
    let middle = seconds.count / 2
    return seconds.count % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2
  }

  /// The shortest.
  var least: Double { seconds[0] }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

extension Double {
  /// Rounded to `digits` after the point, so that JSON and tables hold no noise.
  func rounded(to digits: Int) -> Double {
    let scale = pow(10, Double(digits))
    return (self * scale).rounded() / scale
  }
}

/// Aligned text.
enum BenchTable {
  /// Rows as lines with aligned columns: the first to the left, the others to the right.
  static func text(_ rows: [[String]]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      // A row of one cell is a heading or a note and widens nothing.
      rows.map { $0.count > 1 && column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      guard row.count > 1 else { return (row.first ?? "") + "\n" }
      let cells = row.enumerated().map { column, cell in
        let blank = String(repeating: " ", count: max(0, widths[column] - cell.count))
        return column == 0 ? cell + blank : blank + cell
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }

  /// A number with `digits` after the point.
  static func number(_ value: Double, _ digits: Int = 1) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// A share as per cent.
  static func share(_ value: Double) -> String { number(100 * value) + " %" }
}
