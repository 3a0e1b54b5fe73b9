import Kernels

/// Exponential moving averages of weights, which are evaluated in their place.
package final class MovingAverage {
  /// What is averaged, in a fixed order.
  package let parameters: [Parameter]
  /// The averages, one for each parameter; start as the weights are.
  package let averages: [Buffer]
  /// Updates done.
  package var updates = 0
  private let decay: Float
  private let engine: Engine

  /// Starts from the values of `parameters`; `decay` is the share of the old average that stays.
  package init(_ parameters: [Parameter], decay: Float, engine: Engine) {
    self.parameters = parameters
    self.decay = decay
    self.engine = engine
    averages = parameters.map { parameter in
      let average = engine.pool.take(parameter.value.count)
      average.pointer.update(from: parameter.value.pointer, count: average.count)
      return average
    }
  }

  /// average += (1 − d)·(value − average), d = min(decay, (1 + n)/(10 + n)) after n updates.
  ///
  /// So a short training is not dominated by its first weights.
  package func update() {
    let engine = engine
    let share = 1 - min(decay, Float(1 + updates) / Float(10 + updates))
    let count = parameters.reduce(0) { $0 + $1.value.count }
    engine.threadPool.run(
      Work(
        "weight averages",
        .update,
        arithmetic: 3 * count,
        floats: 3 * count
      ),
      chunks: parameters.count
    ) { i, _ in
      let value = parameters[i].value
      engine.kernels.blend(value.count, share, value.pointer, averages[i].pointer)
    }
    updates += 1
  }

  /// The averages, and how many updates they had.
  package var entries: [StateEntry] {
    zip(parameters, averages).map { parameter, average in
      StateEntry(name: "average." + parameter.name, shape: parameter.shape, buffer: average)
    } + [
      StateEntry(name: "average.updates") {
        self.updates
      } restore: {
        self.updates = $0
      }
    ]
  }

  /// Exchanges averages and values in place; a second call undoes the first.
  package func swap() {
    let engine = engine
    let piece = 4096
    engine.threadPool.run(chunks: parameters.count, workspaceFloats: piece) {
      i,
      workspace in
      let (value, average) = (parameters[i].value, averages[i])
      for first in stride(from: 0, to: value.count, by: piece) {
        let count = min(piece, value.count - first)
        workspace.update(from: value.pointer + first, count: count)
        (value.pointer + first).update(from: average.pointer + first, count: count)
        (average.pointer + first).update(from: workspace, count: count)
      }
    }
  }
}
