import Foundation
import Runs
import Tensor

extension Supernet {
  /// Everything that training goes on from: weights, velocities, θ and Adam's moments.
  package func state() -> [(name: String, shape: [Int], values: [Float])] {
    var state: [(name: String, shape: [Int], values: [Float])] = []
    for (parameter, velocity) in zip(parameters, weightOptimiser.velocities) {
      state.append((parameter.name, parameter.shape, Array(parameter.value.elements)))
      state.append((velocityName(parameter), parameter.shape, Array(velocity.elements)))
    }
    for layer in logits.indices {
      let shape = [logits[layer].count]
      state.append((thetaName(layer), shape, logits[layer]))
      state.append((thetaName(layer) + ".m", shape, thetaOptimiser.firstMoments[layer]))
      state.append((thetaName(layer) + ".v", shape, thetaOptimiser.secondMoments[layer]))
    }
    // A count of steps is exact in a Float up to 2^24.
    state.append(("theta.steps", [1], [Float(thetaOptimiser.steps)]))
    return state
  }

  /// Takes up a saved state.
  ///
  /// - Throws: `UserError` naming the array that is missing or of another shape; nothing is changed then.
  package func restore(_ state: [String: (shape: [Int], values: [Float])]) throws {
    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard let entry = state[name] else {
        throw UserError(
          .data,
          "checkpoint",
          "has no array '\(name)'",
          remedy: "resume with the config that wrote it"
        )
      }
      guard entry.shape == shape, entry.values.count == shape.reduce(1, *) else {
        throw UserError(
          .data,
          "checkpoint",
          "array '\(name)' has shape \(entry.shape), expected \(shape)",
          remedy: "resume with the config that wrote it"
        )
      }
      return entry.values
    }
    let weights = try parameters.map { try values($0.name, $0.shape) }
    let velocities = try parameters.map { try values(velocityName($0), $0.shape) }
    let thetas = try logits.indices.map { try values(thetaName($0), [logits[$0].count]) }
    let first = try logits.indices.map { try values(thetaName($0) + ".m", [logits[$0].count]) }
    let second = try logits.indices.map { try values(thetaName($0) + ".v", [logits[$0].count]) }
    let steps = try values("theta.steps", [1])
    judged = nil
    for i in parameters.indices {
      for j in weights[i].indices {
        parameters[i].value.pointer[j] = weights[i][j]
        weightOptimiser.velocities[i].pointer[j] = velocities[i][j]
      }
    }
    logits = thetas
    thetaOptimiser.firstMoments = first
    thetaOptimiser.secondMoments = second
    thetaOptimiser.steps = Int(steps[0])
  }

  private func velocityName(_ parameter: Parameter) -> String { "velocity." + parameter.name }
  private func thetaName(_ layer: Int) -> String { "theta.\(layer + 1)" }
}
