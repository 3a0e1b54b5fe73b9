import ArgumentParser
import Export
import Foundation
import Import
import Networks
import Runs
import Tensor

/// `supertop import FILE --as NETWORK`: weights of PyTorch's libraries as a network of supertop.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take up weights of timm or mobile-vision.",
    discussion: """
      The file is a state dict, or a checkpoint that holds one, in safetensors or as torch.save \
      writes it. Nothing in it is executed: what is no array is refused by name. What does not fit \
      the network is listed, and then nothing is written.

        supertop import fbnetv3_d.pth --as fbnetv3_d
        supertop train FBNetV3_D.safetensors --data ./photos    # with a classifier of its own
      """
  )

  @Argument(
    help: ArgumentHelp("Weights: safetensors, or a file of torch.save.", valueName: "file"),
    completion: .file()
  )
  var file: String

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("The network of 'supertop models' that they are of.", valueName: "network")
  )
  var network: String

  @Option(
    help: ArgumentHelp(
      "The new safetensors file (default: NETWORK.safetensors).",
      valueName: "file"
    ),
    completion: .file()
  )
  var output: String?

  @Option(
    help: ArgumentHelp("A new classifier for so many classes, at random.", valueName: "n")
  )
  var classes: Int?

  @Option(
    help: ArgumentHelp(
      "Text file with the name of a class on each line, in the order of the scores.",
      valueName: "file"
    ),
    completion: .file()
  )
  var classNames: String?

  @Option(
    help: ArgumentHelp(
      "What batch-norm adds to the variance (default: 1e-5; 1e-3 for timm's fbnetc_100).",
      valueName: "number"
    )
  )
  var epsilon: Double?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let classes, !(1...1_000_000).contains(classes) {
      throw ValidationError("--classes \(classes): no number of classes; give 1 to 1000000")
    }
    if let epsilon, !(1e-5...1).contains(epsilon) {
      throw ValidationError("--epsilon \(epsilon): out of range; give 0.00001 to 1")
    }
  }

  func run() throws {
    let entry = try Zoo.found(network)
    let output = output ?? entry.network.name + ".safetensors"
    if pathExists(output), try self.output == nil || OutputPlace(output) == OutputPlace(file) {
      throw UserError(
        .cannotCreate,
        output,
        self.output == nil ? "there is such a file already" : "is the file to be read",
        remedy: "name another with --output"
      )
    }
    let weights = try WeightFile(file)
    let imported = try ImportedNetwork(
      weights,
      as: entry,
      classes: classes,
      epsilon: epsilon,
      engine: Engine(threads: 1)
    )
    let description = imported.network.description
    let learned = LearnedData(
      classNames: try names(description.classes),
      mean: [0.485, 0.456, 0.406],
      standardDeviation: [0.229, 0.224, 0.225],
      side: description.height
    )
    try NetworkArchive.checkpoint(imported.network, metadata: learned.metadata).write(to: output)
    try report(imported, weights, output)
  }

  /// The classes' names: those of the file, or their numbers.
  ///
  /// The numbers stand behind a word: a data set may have classes of plain numbers, and training on
  /// it would take their names for the same classes.
  private func names(_ classes: Int) throws -> [String] {
    guard let classNames else { return (0..<classes).map { "class \($0)" } }
    let names = try readText(classNames).split(whereSeparator: \.isNewline).map(String.init)
    guard names.count == classes, Set(names).count == classes else {
      throw UserError(
        .data,
        classNames,
        "holds \(Format.counted(names.count, "name")), \(Set(names).count) of them different, "
          + "the network has \(Format.counted(classes, "class"))",
        remedy: "give each class a line with a name of its own"
      )
    }
    return names
  }

  private func report(_ imported: ImportedNetwork, _ weights: WeightFile, _ output: String) throws {
    let description = imported.network.description
    if json {
      return try Output(beside: output).json(
        Report(
          name: description.name,
          naming: imported.naming.rawValue,
          state: weights.state,
          taken: imported.taken,
          ignored: imported.ignored,
          classes: description.classes,
          epsilon: imported.epsilon,
          output: output
        )
      )
    }
    let lines = Output(beside: output)
    lines.line(
      "\(description.name) of \(imported.naming.rawValue)"
        + (weights.state.map { ", \($0) of the checkpoint" } ?? "")
        + ": \(Format.counted(imported.taken, "array")) taken, "
        + "\(Format.counted(description.classes, "class"))"
        + (classes == nil ? "" : " with a random classifier")
    )
    for ignored in imported.ignored {
      lines.line("not taken, \(ignored.reason): \(ignored.names.listed(atMost: 3))")
    }
    lines.line("network: \(output)")
  }

  /// The names are a contract with scripts.
  private struct Report: Encodable {
    var event = "done"
    var name: String
    var naming: String
    var state: String?
    var taken: Int
    var ignored: [ImportedNetwork.Ignored]
    var classes: Int
    var epsilon: Double
    var output: String
  }
}
