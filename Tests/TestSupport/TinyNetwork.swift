import Data
import Foundation
import Networks
import Runs
import Tensor
import Training

/// A network of a few layers for 8×8 images, and what trains it.
package enum TinyNetwork {
  package static func json(head: Int = 32, residuals: Int = 1, classes: Int = 10) -> String {
    let residual = String(
      repeating: "{\"kernel\": 3, \"expansion\": 2, \"width\": 16},\n",
      count: residuals
    )
    return """
      {"name": "tiny", "resolution": 8, "channels": 1, "classes": \(classes), "layers": [
        {"convolution": true, "kernel": 3, "width": 16},
        \(residual)
        {"kernel": 3, "expansion": 2, "width": 24, "stride": 2},
        {"convolution": true, "kernel": 1, "width": \(head)}]}
      """
  }

  package static func description(
    head: Int = 32,
    residuals: Int = 1,
    classes: Int = 10
  ) throws -> NetworkDescription {
    try NetworkFile.parse(
      Foundation.Data(json(head: head, residuals: residuals, classes: classes).utf8)
    )
  }

  /// Nothing but plain gradient steps.
  package static var plain: Recipe {
    var recipe = Recipe()
    recipe.momentum = 0
    recipe.weightDecay = 0
    return recipe
  }

  /// Everything that takes random numbers or keeps a state, at once.
  package static var noisy: Recipe {
    var recipe = Recipe()
    recipe.mixup = 0.4
    recipe.dropout = 0.2
    recipe.dropPath = 0.2
    recipe.ema = 0.9
    recipe.labelSmoothing = 0.1
    recipe.shift = 1
    return recipe
  }

  package static func training(
    _ recipe: Recipe,
    network: NetworkDescription? = nil,
    seed: UInt64 = 1
  ) throws -> NetworkTraining {
    try NetworkTraining(
      try network ?? description(),
      recipe: recipe,
      seed: seed,
      engine: Engine.ofRun(threads: 2)
    )
  }

  /// The first images of the digits.
  package static func batch(_ count: Int) -> Batch {
    let data = digits
    return BatchPlan(evaluating: data.train, of: data, batch: count).batch(0)
  }

  package static let digits: Dataset = {
    do {
      return try Dataset.load(try Configuration.preset("digits").data)
    } catch {
      fatalError("the digits are in the program: \(error)")
    }
  }()

  package static func weights(_ network: Network) -> [String: [Float]] {
    var weights: [String: [Float]] = [:]
    for parameter in network.parameters {
      weights[parameter.name] = Array(parameter.value.elements)
    }
    return weights
  }
}
