import Foundation
import Tensor

extension Supernet {
  /// Everything that training goes on from: weights, velocities, θ and Adam's moments.
  package func state() -> [(name: String, shape: [Int], values: [Float])] {
    var state: [(name: String, shape: [Int], values: [Float])] = []
    for (parameter, velocity) in zip(parameters, weightOptimiser.velocities) {
      state.append((parameter.name, parameter.shape, Array(parameter.value.elements)))
      state.append((velocityName(parameter), parameter.shape, Array(velocity.elements)))
    }
    state += theta.state()
    return state
  }

  /// Takes up a saved state.
  ///
  /// - Throws: `UserError` naming the array that is missing or of another shape; nothing is changed then.
  package func restore(_ state: [String: (shape: [Int], values: [Float])]) throws {
    let weights = try parameters.map { try savedValues($0.name, shape: $0.shape, in: state) }
    let velocities = try parameters.map {
      try savedValues(velocityName($0), shape: $0.shape, in: state)
    }
    try theta.restore(state)
    evaluated = nil
    for i in parameters.indices {
      for j in weights[i].indices {
        parameters[i].value.pointer[j] = weights[i][j]
        weightOptimiser.velocities[i].pointer[j] = velocities[i][j]
      }
    }
  }

  private func velocityName(_ parameter: Parameter) -> String { "velocity." + parameter.name }
}
