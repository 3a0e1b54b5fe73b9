import Foundation
import Tensor

/// The predictor's layers (spec S42): encoder → embedding, which the proxy head reads for the costs
/// and the accuracy head, together with the recipe, for the accuracy.
///
/// Its biases are those of batch-norms that use their running statistics, mean 0 and deviation 1:
/// so the engine applies bias and activation while the next layer reads. Not Sendable.
final class PredictorNetwork {
  /// How wide the layers are.
  struct Widths: Sendable, Equatable {
    /// Numbers of an architecture.
    var architecture: Int
    /// Of the encoder's hidden layer.
    var hidden: Int
    /// Of the embedding.
    var embedding: Int
    /// Costs that the proxy head predicts.
    var costs: Int
    /// What the accuracy head gets beside the embedding: the recipe, and costs.
    var others: Int
    /// Of the accuracy head's hidden layer.
    var head: Int
  }

  private struct Layer {
    let filter: Parameter
    let norm: BatchNorm
    let activation: Activation

    var parameters: [Parameter] { [filter, norm.gamma, norm.beta] }
  }

  private let engine: Engine
  private let widths: Widths
  private let encoder: [Layer]
  private let proxy: Layer
  private let head: [Layer]

  /// Layers with first values from `seed`; `member` tells networks of one seed apart.
  convenience init(_ widths: Widths, seed: UInt64, member: Int, engine: Engine) {
    self.init(widths, engine: engine)
    var random = Philox(seed: seed, purpose: .predictor, index: UInt32(member))
    for layer in encoder + [proxy] + head {
      let filter = layer.filter.value
      let inputs = layer.filter.shape[2]
      // He's deviation, for layers without activation as well.
      let deviation = ((layer.activation == .none ? 1 : 2) / Float(max(1, inputs))).squareRoot()
      for i in 0..<filter.count { filter.pointer[i] = deviation * random.normal() }
    }
  }

  /// Layers with known weights.
  convenience init(_ widths: Widths, weights: [[Float]], engine: Engine) {
    self.init(widths, engine: engine)
    for (parameter, values) in zip(parameters, weights) { parameter.entry.write(values) }
  }

  private init(_ widths: Widths, engine: Engine) {
    engine.mode = .inference
    self.engine = engine
    self.widths = widths
    func layer(_ name: String, _ inputs: Int, _ outputs: Int, _ activation: Activation) -> Layer {
      Layer(
        filter: Parameter(name: name, shape: [1, 1, inputs, outputs], engine: engine),
        norm: BatchNorm(name: name, channels: outputs, engine: engine),
        activation: activation
      )
    }
    encoder = [
      layer("encoder", widths.architecture, widths.hidden, .hswish),
      layer("embedding", widths.hidden, widths.embedding, .none),
    ]
    proxy = layer("proxy", widths.embedding, max(1, widths.costs), .none)
    head = [
      layer("head", widths.embedding + widths.others, widths.head, .hswish),
      layer("accuracy", widths.head, 1, .none),
    ]
  }

  /// All weights, for a copy of this network.
  var weights: [[Float]] { parameters.map { Array($0.value.elements) } }

  /// Those of the encoder.
  var encoderWeights: [[Float]] {
    get { encoder.flatMap(\.parameters).map { Array($0.value.elements) } }
    set {
      for (parameter, values) in zip(encoder.flatMap(\.parameters), newValue) {
        parameter.entry.write(values)
      }
    }
  }

  private var parameters: [Parameter] { (encoder + [proxy] + head).flatMap(\.parameters) }

  private func apply(_ layers: [Layer], to x: Tensor) -> Tensor {
    layers.reduce(x) { x, layer in
      engine.convolution(x, filter: layer.filter, norm: layer.norm, activation: layer.activation)
    }
  }

  private func tensor(_ values: [Float], width: Int, gradient: Bool = false) -> Tensor {
    engine.tensor(values, shape: [values.count / width, width], requiresGradient: gradient)
  }

  /// The embedding of architectures, as numbers [rows, embedding].
  private func embedding(_ architectures: [Float]) -> [Float] {
    engine.materialise(apply(encoder, to: tensor(architectures, width: widths.architecture))).values
  }

  /// Rows of embedding and others side by side [rows, embedding + others].
  private func joined(_ embedding: [Float], _ others: [Float]) -> [Float] {
    let (e, o) = (widths.embedding, widths.others)
    let rows = embedding.count / e
    return [Float](unsafeUninitializedCapacity: rows * (e + o)) { values, filled in
      guard let base = values.baseAddress else { return }
      embedding.withUnsafeBufferPointer { embedding in
        others.withUnsafeBufferPointer { others in
          for row in 0..<rows {
            let place = base + row * (e + o)
            if let source = embedding.baseAddress {
              place.update(from: source + row * e, count: e)
            }
            if let source = others.baseAddress {
              (place + e).update(from: source + row * o, count: o)
            }
          }
        }
      }
      filled = rows * (e + o)
    }
  }

  /// The accuracies of architectures [rows, architecture] with others [rows, others].
  func accuracies(_ architectures: [Float], others: [Float]) -> [Float] {
    let inputs = joined(embedding(architectures), others)
    return engine.materialise(
      apply(head, to: tensor(inputs, width: widths.embedding + widths.others))
    )
    .values
  }

  // MARK: Training

  /// Passes of Adam over rows.
  struct Course {
    var epochs: Int
    var batch: Int
    var rate: Double
    /// Whether the rate falls along half a cosine.
    var falls: Bool
    var decay: Double
  }

  /// Trains encoder and proxy head on `costs` [rows, costs] of architectures, by their mean square
  /// error.
  func pretrain(_ architectures: [Float], costs: [Float], _ course: Course, order: inout Philox) {
    let rows = costs.count / widths.costs
    train(encoder + [proxy], rows: rows, course, order: &order) { batch in
      let inputs = self.rows(batch, of: architectures, width: widths.architecture)
      return apply(encoder + [proxy], to: tensor(inputs, width: widths.architecture))
    } gradient: { batch, outputs in
      let targets = self.rows(batch, of: costs, width: widths.costs)
      return zip(outputs, targets).map { 2 * ($0 - $1) / Float(targets.count) }
    }
  }

  /// Trains the accuracy head alone: the embedding is frozen.
  func fitHead(
    _ architectures: [Float],
    others: [Float],
    _ course: Course,
    order: inout Philox,
    gradient: ([Int], [Float]) -> [Float]
  ) {
    let inputs = joined(embedding(architectures), others)
    let width = widths.embedding + widths.others
    train(
      head,
      rows: inputs.count / width,
      course,
      order: &order,
      output: { batch in
        apply(head, to: tensor(rows(batch, of: inputs, width: width), width: width))
      },
      gradient: gradient
    )
  }

  /// Trains encoder and accuracy head.
  func fit(
    _ architectures: [Float],
    others: [Float],
    _ course: Course,
    order: inout Philox,
    gradient: ([Int], [Float]) -> [Float]
  ) {
    let width = widths.embedding + widths.others
    let rows = architectures.count / widths.architecture
    train(
      encoder + head,
      rows: rows,
      course,
      order: &order,
      output: { batch in
        let inputs = self.rows(batch, of: architectures, width: widths.architecture)
        let embedding = apply(encoder, to: tensor(inputs, width: widths.architecture))
        let zeros = [Float](repeating: 0, count: batch.count * widths.embedding)
        let others = joined(zeros, self.rows(batch, of: others, width: widths.others))
        let both = engine.add(
          engine.padChannels(embedding, to: width),
          tensor(others, width: width)
        )
        return apply(head, to: both)
      },
      gradient: gradient
    )
  }

  /// `output` gives the network's values of a batch of rows, `gradient` the loss's at those values.
  private func train(
    _ layers: [Layer],
    rows: Int,
    _ course: Course,
    order: inout Philox,
    output: ([Int]) -> Tensor,
    gradient: ([Int], [Float]) -> [Float]
  ) {
    let optimiser = Adam(
      layers.flatMap(\.parameters),
      name: "predictor",
      beta1: 0.9,
      beta2: 0.999,
      weightDecay: Float(course.decay),
      engine: engine
    )
    engine.isRecording = true
    defer { engine.isRecording = false }
    let batches = max(1, rows / course.batch)
    let steps = course.epochs * batches
    for epoch in 0..<course.epochs {
      // All rows in one batch need no order.
      let shuffled = batches == 1 ? Array(0..<rows) : order.permutation(rows).map(Int.init)
      for index in 0..<batches {
        let batch = Array(shuffled[index * rows / batches..<(index + 1) * rows / batches])
        let values = engine.materialise(output(batch))
        engine.backward(from: values, gradient: gradient(batch, values.values))
        let share = Double(epoch * batches + index) / Double(steps)
        let rate = course.falls ? course.rate * 0.5 * (1 + cos(.pi * share)) : course.rate
        optimiser.step(learningRate: Float(rate))
      }
    }
  }

  /// Some rows of a matrix with `width` columns.
  func rows(_ rows: [Int], of values: [Float], width: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows.count * width) { result, filled in
      values.withUnsafeBufferPointer { values in
        guard let base = result.baseAddress, let source = values.baseAddress else { return }
        for (place, row) in rows.enumerated() {
          (base + place * width).update(from: source + row * width, count: width)
        }
        filled = rows.count * width
      }
    }
  }
}
