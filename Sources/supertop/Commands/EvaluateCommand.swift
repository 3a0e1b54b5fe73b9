import ArgumentParser
import Data
import Export
import Foundation
import Networks
import Runs
import Search
import Tensor
import Training

/// `supertop evaluate NETWORK|RUN`: how good trained weights are on a data set's test images.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Report top-1 and top-5 accuracy of a trained network on test images.",
    discussion: """
      Class names and normalisation come with the weights: classes are matched by name, and images \
      normalised as in training. So the data needs no training images and may lack some classes.

        supertop evaluate runs/fbnetv2_l1-1
        supertop evaluate network.safetensors --data ./photos --json
      """
  )

  @Argument(help: networkHelp, completion: .file())
  var network: String

  @Option(help: dataHelp, completion: .directory)
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Side of the images, pixels (default: the network's).",
      valueName: "pixels"
    )
  )
  var resolution: Int?

  @Option(help: ArgumentHelp("Images per batch.", valueName: "n"))
  var batch = 64

  @Option(help: ArgumentHelp("Worker threads; 0 means one for each core.", valueName: "n"))
  var threads = 0

  @Flag(help: "Count images that cannot be decoded and continue.")
  var skipBadImages = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard (1...65536).contains(batch) else {
      throw ValidationError("--batch \(batch): not a number of images; give 1 to 65536")
    }
    guard (0...1024).contains(threads) else {
      throw ValidationError("--threads \(threads): not a number of threads; give 0 to 1024")
    }
  }

  func run() throws {
    let source = try NetworkSource(network)
    guard let weights = source.weights else {
      throw UserError(
        .data,
        network,
        "has no trained weights",
        remedy: "train it with supertop train, or give a safetensors file"
      )
    }
    let (fitted, data) = try testImages(of: source)
    let engine = Engine.ofRun(threads: threads)
    let model = Network(fitted, engine: engine, seed: 1)
    try NetworkArchive.restore(weights, into: model, path: network)
    let score = score(model, on: data, engine)
    guard score.crossEntropy.isFinite else {
      throw UserError(
        .data,
        network,
        "its answers to these images are not finite numbers",
        remedy: "train the network again with a lower recipe.learning_rate"
      )
    }
    try report(score, fitted)
  }

  /// The images to evaluate on, and the network fitted to their resolution.
  private func testImages(
    of source: NetworkSource
  ) throws -> (network: NetworkDescription, data: Dataset) {
    let description = source.description
    let settings = try settings(for: description)
    let notes = Output(descriptor: STDERR_FILENO)
    let fitted: (network: NetworkDescription, data: Dataset)
    if let learned = source.learned {
      fitted = try source.fitted { progress in
        try Dataset.tests(
          settings,
          for: learned,
          repacks: settings.resolution != description.height,
          progress: progress
        )
      }
    } else {
      fitted = try source.fitted { try Dataset.load(settings, progress: $0) }
      let (classes, channels) = (fitted.data.classes, fitted.data.channels)
      guard classes == description.classes, channels == description.channels else {
        throw UserError(
          .data,
          network,
          "trained for \(Format.counted(description.classes, "class")) and "
            + "\(Format.counted(description.channels, "channel")), "
            + "the data has \(classes) and \(channels)",
          remedy: "name the data that it was trained on, or train it on these"
        )
      }
      notes.line(
        "supertop: \(network): names no classes; the data's order is used, and images are "
          + "normalised by the data's own training images"
      )
    }
    for warning in fitted.data.warnings { notes.line("supertop: \(warning)") }
    return fitted
  }

  private func score(_ model: Network, on data: Dataset, _ engine: Engine) -> NetworkScore {
    let ticker = Ticker()
    defer { ticker.clear() }
    let evaluator = NetworkEvaluator(model, engine: engine)
    var score = NetworkScore()
    for images in BatchLoader(BatchPlan(evaluating: data.test, of: data, batch: batch)) {
      evaluator.evaluate(images, into: &score)
      ticker.show("\(score.images) of \(Format.counted(data.test.count, "image"))")
    }
    return score
  }

  private func report(_ score: NetworkScore, _ description: NetworkDescription) throws {
    if json {
      let object = Report(
        name: description.name,
        top1: score.top1,
        top5: score.top5,
        loss: score.crossEntropy,
        testAccuracy: score.top1,
        testLoss: score.crossEntropy,
        images: score.images
      )
      return try Output().json(object)
    }
    Output().line(
      "top-1 \(Format.spacedPercent(score.top1, digits: 2)), "
        + "top-5 \(Format.spacedPercent(score.top5, digits: 2)), "
        + "loss \(Format.fixed(score.crossEntropy, 4)) on \(Format.counted(score.images, "image"))"
    )
  }

  /// The names are a contract with scripts.
  private struct Report: Encodable {
    var event = "done"
    var name: String
    var top1: Double
    var top5: Double
    var loss: Double
    /// The same as `top1` and `loss`, called as in every other object.
    var testAccuracy: Double
    var testLoss: Double
    var images: Int

    enum CodingKeys: String, CodingKey {
      case event, name, top1, top5, loss, images
      case testAccuracy = "test_accuracy"
      case testLoss = "test_loss"
    }
  }

  /// The data asked for; a run's own where none is.
  private func settings(
    for description: NetworkDescription
  ) throws -> Configuration.DataSettings {
    var settings: Configuration.DataSettings
    if let data {
      settings = try Configuration.preset("digits").data
      settings.source = DataSource(data).absolute.text
      settings.resolution = description.height
    } else if let run = try? RunFolder.open(path: network) {
      settings = try run.settings().data
      // A search may have found a network for smaller images than its own.
      settings.resolution = description.height
    } else {
      throw UserError(.usage, "evaluate \(network)", "no data", remedy: "give --data SPEC")
    }
    if let resolution { settings.resolution = resolution }
    if skipBadImages { settings.skipBadImages = true }
    return settings
  }
}
