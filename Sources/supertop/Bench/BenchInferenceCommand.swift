import ArgumentParser
import Foundation
import Networks
import Runs
import Tensor

/// `supertop bench inference`: a whole network for inference, weights sampled at random.
struct BenchInferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inference",
    abstract: "Time a network's inference.",
    discussion: """
      Batch-norm is folded into the weights, which are random; the images are noise. A \
      network is one of 'supertop models' or a JSON file, see Documentation/network-format.md. \
      Calls repeat for the given time after a warm-up of a fifth of it.

      --dump writes what a comparison needs into a folder: network.json, its layers from the first \
      convolution on, and as raw 32-bit floats of this machine weights.f32 \
      (of each convolution in order filter [K, K, C, D], depthwise [K, K, C] or in g groups [g, K, \
      K, C/g, D/g], then bias; those of a squeeze-and-excite in their place; last the classifier), \
      images.f32 [N, H, W, C] and scores.f32 [N, classes].
      """
  )

  @Option(help: ArgumentHelp("A network's name or a JSON file.", valueName: "name"))
  var network = "fbnet_c"

  @Option(parsing: .unconditional, help: ArgumentHelp("Images of a call.", valueName: "n"))
  var batch = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Side of the images (default: the network's).", valueName: "pixels")
  )
  var size: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Time to measure for.", valueName: "seconds")
  )
  var seconds = 2.0

  @Option(
    help: ArgumentHelp("Write weights, images and scores there.", valueName: "folder"),
    completion: .directory
  )
  var dump: String?

  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var network: String
    var size: Int
    var batch: Int
    var threads: Int
    var isa: String
    var calls: Int
    var medianMs: Double
    var minMs: Double
    var imagesPerS: Double
    /// Of a call.
    var floatingPointOperations: Double
    /// The older name of the same; the FLOPs of networks are half as many.
    var flops: Double
    var params: Double
    var gflopsPerS: Double
    var peakRssMib: Double
  }

  func run() throws {
    try options.check(batch, in: 1...65536, "--batch", "images")
    try options.check(seconds, in: 0.001...3600, "--seconds", "seconds")
    if let size { try options.check(size, in: 1...8192, "--size", "pixels") }
    let source = try NetworkSource(network)
    let description =
      try size.map {
        try source.adapted(
          side: $0,
          channels: source.description.channels,
          classes: source.description.classes
        )
      } ?? source.description
    let engine = try options.engine()
    let built = Network(description, engine: engine, seed: 1)
    let network = built.inference()
    var random = Philox(seed: 1, purpose: .initialisation, index: .max)
    let shape = [batch, description.height, description.width, description.channels]
    let images = engine.tensor(
      (0..<shape.reduce(1, *)).map { _ in random.normal() },
      shape: shape
    )
    if let dump { try write(built, images: images, scores: network(images), to: dump) }
    let times = measure { _ = network(images) }
    let operations = 2 * description.flops * Double(batch)
    let report = Report(
      network: description.name,
      size: description.height,
      batch: batch,
      threads: engine.threads,
      isa: engine.instructionSet.rawValue,
      calls: times.count,
      medianMs: (times.median * 1e3).rounded(to: 4),
      minMs: (times.least * 1e3).rounded(to: 4),
      imagesPerS: (Double(batch) / times.median).rounded(to: 2),
      floatingPointOperations: operations,
      flops: operations,
      params: description.params,
      gflopsPerS: (operations / times.median / 1e9).rounded(to: 2),
      peakRssMib: BenchMemory.peakMebibytes.rounded(to: 1)
    )
    try options.show(
      report,
      table: [
        [
          "\(report.network) at \(report.size)x\(report.size), batch \(batch), \(report.isa), "
            + "\(Format.counted(report.threads, "thread")), \(Format.counted(report.calls, "call"))"
        ],
        ["median", BenchTable.number(report.medianMs, 3), "ms"],
        ["least", BenchTable.number(report.minMs, 3), "ms"],
        ["throughput", BenchTable.number(report.imagesPerS), "images/s"],
        ["arithmetic", BenchTable.number(report.gflopsPerS), "GFLOP/s"],
        ["peak memory", BenchTable.number(report.peakRssMib, 0), "MiB"],
      ]
    )
  }

  private func measure(_ call: () -> Void) -> BenchTimes {
    _ = BenchTimes(seconds: seconds / 5, least: 1, call)
    return BenchTimes(seconds: seconds, call)
  }

  private func write(
    _ network: Network,
    images: Tensor,
    scores: Tensor,
    to folder: String
  ) throws {
    let weights = network.foldedConvolutions.flatMap { $0.filter + $0.bias }
    guard makeFolders(folder) == 0 else {
      throw UserError(
        .cannotCreate,
        folder.isEmpty ? "''" : folder,
        "the folder cannot be made",
        remedy: "give a folder that you may write to"
      )
    }
    for (name, values) in [
      ("weights", weights), ("images", images.values), ("scores", scores.values),
    ] {
      try writeWhole(to: folder + "/" + name + ".f32") { try values.withUnsafeBytes($0) }
    }
    try writeWhole(NetworkFile.json(network.description), to: folder + "/network.json")
  }
}
