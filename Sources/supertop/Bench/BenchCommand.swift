import ArgumentParser
import Foundation
import Runs
import Search
import Tensor
import Training

/// `supertop bench`: how fast this machine runs what a search is made of.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the engine on this machine.",
    discussion: """
      Every measurement runs on synthetic data and needs no files. With --json a measurement \
      prints one JSON object. Floating-point operations, and GFLOP/s for 10^9 of them a second, \
      count two for each multiply-add; the FLOPs of networks, everywhere else, are multiply-adds.
      """,
    subcommands: [
      BenchSupernetCommand.self, BenchProfileCommand.self, BenchRooflineCommand.self,
      BenchGEMMCommand.self, BenchDepthwiseCommand.self, BenchInferenceCommand.self,
      BenchChoicesCommand.self, BenchScalingCommand.self,
    ]
  )
}

/// What every measurement may be given.
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
    return try .checked(isa, at: "--isa \(isa)")
  }

  /// Prints `report` as JSON, or `table` for people.
  func show(_ report: some Encodable, table: [[String]], output: Output = Output()) throws {
    guard json else { return output.text(BenchTable.text(table)) }
    try output.json(report, keys: .convertToSnakeCase)
  }

  /// An engine as asked for.
  func engine() throws -> Engine {
    Engine(instructionSet: try instructionSet(), threads: try checkedThreads())
  }

  /// Refuses a number outside `range` with one line.
  func check<Number: Comparable>(
    _ value: Number,
    in range: ClosedRange<Number>,
    _ option: String,
    _ unit: String
  ) throws {
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
    ),
    completion: .list(Configuration.presetNames)
  )
  var preset = "cifar-small"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images of a step.", valueName: "n")
  )
  var batch = 64

  @Option(
    name: .customLong("set"),
    parsing: .singleValue,
    help: ArgumentHelp(
      "Override a setting, such as precision=bf16-activations; may be repeated.",
      valueName: "key=value"
    )
  )
  var assignments: [String] = []

  /// The settings of the preset with the overrides.
  func configuration() throws -> Configuration {
    try Configuration.preset(preset, overrides: assignments)
  }

  /// The searched layers of the preset, the batch checked.
  func macro(_ options: BenchOptions) throws -> LayerwiseSpace {
    try checkBatch(options)
    let configuration = try configuration()
    let shape = BenchShape(of: configuration)
    return LayerwiseSpace(
      configuration.space,
      classes: shape.classes,
      channels: shape.channels,
      height: shape.side,
      width: shape.side
    )
  }

  /// Refuses a batch that no search can have.
  func checkBatch(_ options: BenchOptions) throws {
    try options.check(batch, in: 1...65536, "--batch", "images")
  }
}
