import Tensor

/// Masks and resolutions of the reference: every option on its own, its result masked or scattered,
/// then the weighted sum.
extension ReferenceGraph {
  package func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    taps: Node,
    norm: Norm
  ) -> Node {
    depthwise(x, name, kernel: kernel, stride: stride, padding: nil, taps: taps, norm: norm)
  }

  /// filter[t, c] · taps[t].
  func masked(_ filter: ReferenceValue, by taps: ReferenceValue) -> ReferenceValue {
    let y = ReferenceValue(filter.shape)
    let channels = filter.channels
    for i in 0..<y.count { y.x.p[i] = filter.x.p[i] * taps.x.p[i / channels] }
    tape.append {
      for i in 0..<y.count {
        filter.g.p[i] += y.g.p[i] * taps.x.p[i / channels]
        taps.g.p[i / channels] += y.g.p[i] * filter.x.p[i]
      }
    }
    return y
  }

  package func channelMask(_ weights: Node, widths: [Int], forward: [Float]?) -> Node {
    mask(weights, places: widths.max() ?? 0, forward: forward) { $0 < widths[$1] }
  }

  package func tapMask(_ weights: Node, sides: [Int], forward: [Float]?) -> Node {
    let side = sides.max() ?? 0
    return mask(weights, places: side * side, forward: forward) { tap, option in
      let border = (side - sides[option]) / 2
      let inside = border..<side - border
      return inside.contains(tap / side) && inside.contains(tap % side)
    }
  }

  /// Σ over the options i that hold the place p of gᵢ, for every row of weights.
  private func mask(
    _ weights: Node,
    places: Int,
    forward: [Float]?,
    _ holds: (_ place: Int, _ option: Int) -> Bool
  ) -> Node {
    let g = values[weights.index]
    let k = g.channels
    let used = Doubles(forward?.map { Double($0) } ?? g.x.array)
    let y = ReferenceValue(g.shape.dropLast() + [places])
    var terms: [(to: Int, from: Int)] = []
    for row in 0..<g.count / k {
      for p in 0..<places {
        for i in 0..<k where holds(p, i) { terms.append((row * places + p, row * k + i)) }
      }
    }
    for (to, from) in terms { y.x.p[to] += used.p[from] }
    tape.append { [terms] in for (to, from) in terms { g.g.p[from] += y.g.p[to] } }
    return push(y)
  }

  package func mask(_ x: Node, by mask: Node) -> Node { scaleChannels(x, by: mask) }

  package func mixActivations(
    _ x: Node,
    _ activations: [Norm],
    weights: Node,
    forward: [Float]?
  ) -> Node {
    let (x, w) = (values[x.index], values[weights.index])
    let used = Doubles(forward?.map { Double($0) } ?? w.x.array)
    let k = activations.count
    let slice = w.shape.count == 2 ? x.count / w.shape[0] : x.count
    let y = ReferenceValue(x.shape)
    for e in 0..<x.count {
      for (i, f) in activations.enumerated() {
        y.x.p[e] += used.p[e / slice * k + i] * activate(x.x.p[e], f)
      }
    }
    tape.append {
      for e in 0..<x.count {
        for (i, f) in activations.enumerated() {
          let at = e / slice * k + i
          x.g.p[e] += y.g.p[e] * used.p[at] * activationSlope(x.x.p[e], f)
          w.g.p[at] += y.g.p[e] * activate(x.x.p[e], f)
        }
      }
    }
    return push(y)
  }

  package func subsample(_ x: Node, to size: MapSize) -> Node {
    let x = values[x.index]
    let whole = MapSize(height: x.shape[1], width: x.shape[2])
    return move(x, to: size, pixels(of: size, in: whole).map { (from: $0.whole, to: $0.part) })
  }

  package func subsample(_ x: Node, to size: MapSize, _ name: String, norm: Norm) -> Node {
    push(normalised(values[subsample(x, to: size).index], name, norm))
  }

  package func scatter(_ x: Node, to size: MapSize) -> Node {
    let x = values[x.index]
    let part = MapSize(height: x.shape[1], width: x.shape[2])
    return move(x, to: size, pixels(of: part, in: size).map { (from: $0.part, to: $0.whole) })
  }

  private func pixels(of part: MapSize, in whole: MapSize) -> [(part: Int, whole: Int)] {
    (0..<part.height).flatMap { i in
      (0..<part.width).map { j in
        let (y, x) = (i * whole.height / part.height, j * whole.width / part.width)
        return (i * part.width + j, y * whole.width + x)
      }
    }
  }

  private func move(
    _ x: ReferenceValue,
    to size: MapSize,
    _ pixels: [(from: Int, to: Int)]
  ) -> Node {
    let (images, channels) = (x.shape[0], x.channels)
    let y = ReferenceValue([images, size.height, size.width, channels])
    var terms: [(from: Int, to: Int)] = []
    for n in 0..<images {
      for (from, to) in pixels {
        let a = n * (x.count / images) + from * channels
        let b = n * (y.count / images) + to * channels
        for c in 0..<channels { terms.append((a + c, b + c)) }
      }
    }
    for (from, to) in terms { y.x.p[to] = x.x.p[from] }
    tape.append { [terms] in for (from, to) in terms { x.g.p[from] += y.g.p[to] } }
    return push(y)
  }

  package func resolutionSum(
    _ x: Node,
    sizes: [MapSize],
    weights: Node,
    forward: [Float]?,
    inputs: [Node],
    to size: MapSize,
    _ body: @escaping (Node) -> Node
  ) -> Node {
    let options = sizes.map { scatter(body(subsample(x, to: $0)), to: size) }
    return weightedSum(
      options.map { ($0, isResidual: false) },
      shortcut: nil,
      weights: weights,
      forward: forward
    )
  }

  package func checkpoint(_ inputs: [Node], _ body: @escaping () -> Node) -> Node { body() }
}
