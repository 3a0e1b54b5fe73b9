import ArgumentParser
import Data
import Export
import Foundation
import Networks
import Runs
import Search
import Tensor

/// `supertop evaluate NETWORK|RUN`: how good trained weights are on a data set's test images.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Tell top-1 and top-5 of a trained network on test images.",
    discussion: """
        supertop evaluate runs/fbnetv2_l1-1
        supertop evaluate network.safetensors --data ./photos --json
      """
  )

  @Argument(help: networkHelp)
  var network: String

  @Option(help: dataHelp)
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Side of the images, pixels (default: the network's).",
      valueName: "pixels"
    )
  )
  var resolution: Int?

  @Option(help: ArgumentHelp("Images judged at a time.", valueName: "n"))
  var batch = 64

  @Option(help: ArgumentHelp("Worker threads; 0 means one for each core.", valueName: "n"))
  var threads = 0

  @Flag(help: "Count images that cannot be decoded and go on.")
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
    let description = source.description
    let (fitted, data) = try source.fitted(to: try settings(for: description))
    guard fitted.classes == description.classes, fitted.channels == description.channels else {
      throw UserError(
        .data,
        network,
        "trained for \(description.classes) classes and \(description.channels) channels, the "
          + "data has \(fitted.classes) and \(fitted.channels)",
        remedy: "name the data that it was trained on, or train it on these"
      )
    }
    let engine = Engine.ofRun(threads: threads)
    let model = Network(fitted, engine: engine, seed: 1)
    try NetworkArchive.restore(weights, into: model, path: network)
    try report(score(model, on: data, engine), fitted)
  }

  private func score(_ model: Network, on data: Dataset, _ engine: Engine) -> NetworkScore {
    let ticker = Ticker()
    defer { ticker.clear() }
    let judge = NetworkJudge(model, engine: engine)
    var score = NetworkScore()
    for images in BatchLoader(BatchPlan(evaluating: data.test, of: data, batch: batch)) {
      judge.judge(images, into: &score)
      ticker.show("\(score.images) of \(data.test.count) images")
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
        images: score.images
      )
      return try Output().json(object)
    }
    Output().line(
      String(
        format: "top-1 %.2f %%, top-5 %.2f %%, loss %.4f on %d images",
        100 * score.top1,
        100 * score.top5,
        score.crossEntropy,
        score.images
      )
    )
  }

  /// The names are a contract with scripts.
  private struct Report: Encodable {
    var event = "done"
    var name: String
    var top1: Double
    var top5: Double
    var loss: Double
    var images: Int
  }

  /// The data asked for; a run's own where none is.
  private func settings(
    for description: NetworkDescription
  ) throws -> Configuration.DataSettings {
    var settings: Configuration.DataSettings
    if let data {
      settings = try Configuration.preset("digits").data
      settings.source = absoluteSource(data)
      settings.resolution = description.height
    } else if let run = try? RunFolder.open(path: network) {
      settings = try run.settings().data
    } else {
      throw UserError(.usage, "evaluate \(network)", "no data", remedy: "give --data SPEC")
    }
    if let resolution { settings.resolution = resolution }
    if skipBadImages { settings.skipBadImages = true }
    return settings
  }
}
