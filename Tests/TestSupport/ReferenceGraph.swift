import Tensor

/// Doubles with a stable address: arrays are too slow in an unoptimised build.
final class Doubles {
  let p: UnsafeMutablePointer<Double>
  let count: Int

  init(_ count: Int) {
    self.count = count
    p = .allocate(capacity: count)
    p.initialize(repeating: 0, count: count)
  }

  convenience init(_ values: [Double]) {
    self.init(values.count)
    for i in values.indices { p[i] = values[i] }
  }

  deinit { p.deallocate() }

  var array: [Double] { Array(UnsafeBufferPointer(start: p, count: count)) }
}

/// A value of the reference with its gradient.
final class ReferenceValue {
  let shape: [Int]
  let x: Doubles
  let g: Doubles

  init(_ shape: [Int], _ x: Doubles) {
    self.shape = shape
    self.x = x
    g = Doubles(x.count)
  }

  convenience init(_ shape: [Int]) { self.init(shape, Doubles(shape.reduce(1, *))) }

  var channels: Int { shape.last ?? 1 }
  var count: Int { x.count }
}

/// A `Graph` written as plainly as possible, in double precision; nothing is fused or left pending.
package final class ReferenceGraph: Graph {
  private let leaves: Leaves
  var values: [ReferenceValue] = []
  private var named: [(name: String, value: ReferenceValue)] = []
  var tape: [() -> Void] = []

  /// Makes an empty graph.
  package init(leaves: Leaves) { self.leaves = leaves }

  /// Runs `build` forward and, where wanted, backward.
  package static func run(
    _ leaves: Leaves,
    gradients: Bool = true,
    _ build: (any Graph) -> Node
  ) -> Outcome {
    let graph = ReferenceGraph(leaves: leaves)
    let y = graph.values[build(graph).index]
    let weights = leaves.outputWeights(y.count)
    var outcome = Outcome(output: y.x.array, gradients: [:], loss: 0)
    outcome.loss = zip(outcome.output, weights).reduce(0) { $0 + $1.0 * $1.1 }
    guard gradients else { return outcome }
    // The engine is given the weights in single precision.
    for i in weights.indices { y.g.p[i] = Double(Float(weights[i])) }
    while let step = graph.tape.popLast() { step() }
    for leaf in graph.named { outcome.gradients[leaf.name] = leaf.value.g.array }
    return outcome
  }

  func push(_ value: ReferenceValue) -> Node {
    values.append(value)
    return Node(index: values.count - 1)
  }

  private func leaf(_ name: String, _ shape: [Int], _ fill: Fill) -> ReferenceValue {
    if let known = named.first(where: { $0.name == name }) { return known.value }
    let count = shape.reduce(1, *)
    let value = ReferenceValue(shape, Doubles(leaves.values(name, count: count, fill)))
    named.append((name, value))
    return value
  }

  package func input(_ name: String, _ shape: [Int], _ fill: Fill) -> Node {
    push(leaf(name, shape, fill))
  }

  package func convolution(
    _ x: Node,
    _ name: String,
    to channels: Int,
    geometry g: ConvolutionGeometry,
    bias: Bool,
    norm: Norm
  ) -> Node {
    let input = values[x.index]
    let slice = input.channels / g.groups
    let filter = leaf(
      name + ".filter",
      [g.groups, g.kernel * g.kernel, slice, channels / g.groups],
      .filter(fanIn: g.kernel * g.kernel * slice)
    )
    let isImage = input.shape.count == 4
    let (h, w) = isImage ? (input.shape[1], input.shape[2]) : (1, 1)
    let shape =
      isImage
      ? [input.shape[0], g.outputSize(h), g.outputSize(w), channels] : [input.shape[0], channels]
    let y = ReferenceValue(shape)
    let taps = Taps(
      images: input.shape[0],
      height: h,
      width: w,
      outHeight: isImage ? shape[1] : 1,
      outWidth: isImage ? shape[2] : 1,
      kernel: g.kernel,
      stride: g.stride,
      padding: g.padding
    )
    let columns = channels / g.groups
    taps.forEach { from, to, tap in
      for group in 0..<g.groups {
        let x = input.x.p + from * input.channels + group * slice
        let out = y.x.p + to * channels + group * columns
        let f = filter.x.p + (group * taps.kernel * taps.kernel + tap) * slice * columns
        for c in 0..<slice { addScaled(columns, x[c], f + c * columns, out) }
      }
    }
    tape.append {
      taps.forEach { from, to, tap in
        for group in 0..<g.groups {
          let at = from * input.channels + group * slice
          let out = y.g.p + to * channels + group * columns
          let weights = (group * taps.kernel * taps.kernel + tap) * slice * columns
          for c in 0..<slice {
            addScaled(columns, input.x.p[at + c], out, filter.g.p + weights + c * columns)
            input.g.p[at + c] += dot(columns, filter.x.p + weights + c * columns, out)
          }
        }
      }
    }
    if bias {
      let b = leaf(name + ".bias", [channels], .small)
      for i in 0..<y.count { y.x.p[i] += b.x.p[i % channels] }
      tape.append { for i in 0..<y.count { b.g.p[i % channels] += y.g.p[i] } }
    }
    return push(normalised(y, name, norm))
  }

  package func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    padding: Int?,
    norm: Norm
  ) -> Node {
    depthwise(x, name, kernel: kernel, stride: stride, padding: padding, taps: nil, norm: norm)
  }

  /// The same under a mask of the filter, if there is one.
  func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    padding: Int?,
    taps mask: Node?,
    norm: Norm
  ) -> Node {
    let input = values[x.index]
    let channels = input.channels
    let whole = leaf(
      name + ".filter",
      [kernel, kernel, channels],
      .filter(fanIn: kernel * kernel)
    )
    let filter = mask.map { masked(whole, by: values[$0.index]) } ?? whole
    let (n, h, w) = (input.shape[0], input.shape[1], input.shape[2])
    let padding = padding ?? kernel / 2
    let (oh, ow) = (
      (h + 2 * padding - kernel) / stride + 1, (w + 2 * padding - kernel) / stride + 1
    )
    let y = ReferenceValue([n, oh, ow, channels])
    let taps = Taps(
      images: n,
      height: h,
      width: w,
      outHeight: oh,
      outWidth: ow,
      kernel: kernel,
      stride: stride,
      padding: padding
    )
    taps.forEach { from, to, tap in
      addProduct(
        channels,
        input.x.p + from * channels,
        filter.x.p + tap * channels,
        y.x.p + to * channels
      )
    }
    tape.append {
      taps.forEach { from, to, tap in
        let g = y.g.p + to * channels
        addProduct(channels, g, filter.x.p + tap * channels, input.g.p + from * channels)
        addProduct(channels, g, input.x.p + from * channels, filter.g.p + tap * channels)
      }
    }
    return push(normalised(y, name, norm))
  }

  /// Batch-norm in training mode and the activation.
  func normalised(_ x: ReferenceValue, _ name: String, _ norm: Norm) -> ReferenceValue {
    guard norm != .off else { return x }
    let channels = x.channels
    let rows = x.count / channels
    let gamma = leaf(name + ".gamma", [channels], .positive)
    let beta = leaf(name + ".beta", [channels], .small)
    let y = ReferenceValue(x.shape)
    let hat = Doubles(x.count)
    let z = Doubles(x.count)
    let inverse = Doubles(channels)
    for c in 0..<channels {
      var mean = 0.0
      for r in 0..<rows { mean += x.x.p[r * channels + c] }
      mean /= Double(rows)
      var variance = 0.0
      for r in 0..<rows {
        let d = x.x.p[r * channels + c] - mean
        variance += d * d
      }
      inverse.p[c] = 1 / (variance / Double(rows) + 1e-5).squareRoot()
      for r in 0..<rows {
        let i = r * channels + c
        hat.p[i] = (x.x.p[i] - mean) * inverse.p[c]
        z.p[i] = gamma.x.p[c] * hat.p[i] + beta.x.p[c]
        y.x.p[i] = activate(z.p[i], norm)
      }
    }
    tape.append {
      for c in 0..<channels {
        var sum = 0.0
        var product = 0.0
        for r in 0..<rows {
          let i = r * channels + c
          let g = y.g.p[i] * activationSlope(z.p[i], norm)
          sum += g
          product += g * hat.p[i]
        }
        gamma.g.p[c] += product
        beta.g.p[c] += sum
        for r in 0..<rows {
          let i = r * channels + c
          let g = y.g.p[i] * activationSlope(z.p[i], norm)
          x.g.p[i] +=
            gamma.x.p[c] * inverse.p[c]
            * (g - sum / Double(rows) - hat.p[i] * product / Double(rows))
        }
      }
    }
    return y
  }

  package func invertedResiduals(
    _ x: Node,
    _ branches: [Residual],
    to channels: Int,
    stride: Int
  ) -> [Node] {
    branches.map { branch in
      let expanded = pointwise(
        x,
        branch.name + ".expand",
        to: branch.middle,
        groups: branch.groups,
        norm: branch.norm
      )
      let middle = depthwise(
        branch.groups > 1 ? channelShuffle(expanded, groups: branch.groups) : expanded,
        branch.name + ".depthwise",
        kernel: branch.kernel,
        stride: stride,
        norm: branch.norm
      )
      return pointwise(
        middle,
        branch.name + ".project",
        to: channels,
        groups: branch.groups,
        norm: .linear
      )
    }
  }

  package func weightedSum(
    _ branches: [(Node, isResidual: Bool)],
    shortcut: Node?,
    weights: Node,
    forward: [Float]?
  ) -> Node {
    let inputs = branches.map { values[$0.0.index] }
    let residual = branches.map(\.isResidual)
    let through = shortcut.map { values[$0.index] }
    let m = values[weights.index]
    let used = Doubles(forward?.map { Double($0) } ?? m.x.array)
    let y = ReferenceValue(inputs[0].shape)
    let k = inputs.count
    let slice = y.count / (m.shape.count == 2 ? m.shape[0] : 1)
    for i in 0..<k {
      for e in 0..<y.count {
        let value = inputs[i].x.p[e] + (residual[i] ? through?.x.p[e] ?? 0 : 0)
        y.x.p[e] += used.p[e / slice * k + i] * value
      }
    }
    tape.append {
      for i in 0..<k {
        for e in 0..<y.count {
          let at = e / slice * k + i
          let value = inputs[i].x.p[e] + (residual[i] ? through?.x.p[e] ?? 0 : 0)
          m.g.p[at] += y.g.p[e] * value
          inputs[i].g.p[e] += used.p[at] * y.g.p[e]
          if residual[i], let through { through.g.p[e] += used.p[at] * y.g.p[e] }
        }
      }
    }
    return push(y)
  }
}
