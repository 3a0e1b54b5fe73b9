import Data
import Runs

/// What the supernet loses without each single candidate (Wang et al., *Rethinking Architecture
/// Selection in Differentiable NAS*, ICLR 2021): a candidate that is probable need not be the one
/// that matters.
package struct Perturbation: Sendable, Equatable {
  /// Mean cross-entropy without a candidate less that of the whole supernet, [layer][candidate].
  package let increases: [[Double]]
  /// Evaluations of the supernet that it took.
  package let evaluations: Int
}

/// A layer of a selection by perturbation, with its most probable candidate.
package struct SelectedLayer: Codable, Sendable, Equatable {
  /// Name of the choice.
  package var layer: String
  /// The most probable candidate, before any budget.
  package var probable: String
  /// Its probability.
  package var probability: Double
  /// The candidate that is selected, within the budget.
  package var selected: String
  /// What the supernet loses without it: cross-entropy.
  package var lossIncrease: Double
  /// The same without the most probable one.
  package var probableLossIncrease: Double

  /// Whether the two disagree.
  package var differs: Bool { probable != selected }

  enum CodingKeys: String, CodingKey {
    case layer, probable, probability, selected
    case lossIncrease = "loss_increase"
    case probableLossIncrease = "probable_loss_increase"
  }
}

extension SearchTask {
  /// Masks one candidate at a time and measures the supernet on the images kept for θ.
  ///
  /// Batch-norm takes the statistics of each batch, so that a mixture without a candidate uses
  /// its own and not by those of the whole; statistics and weights are left as they are.
  ///
  /// - Parameters:
  ///   - temperature: τ of the mixture.
  ///   - stops: receives the share that is done; true from it ends the measurement.
  /// - Returns: nil if `stops` ended it.
  /// - Throws: what `stops` throws.
  func perturbation(
    temperature: Double,
    stops: (Double) throws -> Bool
  ) throws -> Perturbation? {
    let plan = plan(evaluating: .theta)
    let total = supernet.choices.indices.reduce(1) { sum, layer in
      let count = supernet.theta.allowed(layer).count
      return sum + (count > 1 ? count : 0)
    }
    var evaluations = 0
    func loss(without masked: (layer: Int, candidate: Int)?) throws -> Double? {
      var sum = 0.0
      var images = 0
      for batch in BatchLoader(plan) {
        let within = Double(images) / Double(max(1, plan.images))
        if try stops((Double(evaluations) + within) / Double(total)) { return nil }
        sum +=
          supernet.crossEntropy(without: masked, temperature: temperature, batch: batch)
          * Double(batch.count)
        images += batch.count
      }
      evaluations += 1
      return sum / Double(max(1, images))
    }
    guard let whole = try loss(without: nil) else { return nil }
    var increases: [[Double]] = []
    for (layer, choice) in supernet.choices.enumerated() {
      var row = [Double](repeating: 0, count: choice.options.count)
      let allowed = supernet.theta.allowed(layer)
      for candidate in allowed where allowed.count > 1 {
        guard let loss = try loss(without: (layer, candidate)) else { return nil }
        row[candidate] = loss - whole
      }
      increases.append(row)
    }
    return Perturbation(increases: increases, evaluations: evaluations)
  }

  /// The network whose candidates the supernet can spare least, within the budget, and how it
  /// compares.
  func selected(by perturbation: Perturbation) -> (network: Architecture, layers: [SelectedLayer]) {
    let increases = perturbation.increases
    let argmax = supernet.argmax
    let scores = increases.enumerated().map { layer, row in
      let allowed = supernet.theta.allowed(layer)
      return row.indices.map { allowed.contains($0) ? row[$0] : -.infinity }
    }
    let network = supernet.costModel.mostProbable(scores, within: within) ?? argmax
    let probabilities = supernet.theta.probabilities
    let layers = supernet.choices.indices.map { layer in
      let options = supernet.choices[layer].options
      return SelectedLayer(
        layer: supernet.choices[layer].name,
        probable: options[argmax[layer]].name,
        probability: probabilities[layer][argmax[layer]],
        selected: options[network[layer]].name,
        lossIncrease: increases[layer][network[layer]],
        probableLossIncrease: increases[layer][argmax[layer]]
      )
    }
    return (network, layers)
  }
}
