#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Pools, rearrangements, losses and small arithmetic of the reference.
extension ReferenceGraph {
  package func averagePool(_ x: Node) -> Node {
    let x = values[x.index]
    let channels = x.channels
    let pixels = x.shape[1] * x.shape[2]
    let y = ReferenceValue([x.shape[0], channels])
    for i in 0..<x.count {
      y.x.p[i / (pixels * channels) * channels + i % channels] += x.x.p[i] / Double(pixels)
    }
    tape.append {
      for i in 0..<x.count {
        x.g.p[i] += y.g.p[i / (pixels * channels) * channels + i % channels] / Double(pixels)
      }
    }
    return push(y)
  }

  package func materialise(_ x: Node) -> Node { x }

  package func channelShuffle(_ x: Node, groups: Int) -> Node {
    let x = values[x.index]
    let y = ReferenceValue(x.shape)
    let channels = x.channels
    let width = channels / groups
    func target(_ i: Int) -> Int {
      let c = i % channels
      return i - c + c % width * groups + c / width
    }
    for i in 0..<x.count { y.x.p[target(i)] = x.x.p[i] }
    tape.append { for i in 0..<x.count { x.g.p[i] += y.g.p[target(i)] } }
    return push(y)
  }

  package func padChannels(_ x: Node, to channels: Int) -> Node {
    let x = values[x.index]
    let y = ReferenceValue(x.shape.dropLast() + [channels])
    let own = x.channels
    func target(_ i: Int) -> Int { i / own * channels + i % own }
    for i in 0..<x.count { y.x.p[target(i)] = x.x.p[i] }
    tape.append { for i in 0..<x.count { x.g.p[i] += y.g.p[target(i)] } }
    return push(y)
  }

  package func scaleChannels(_ x: Node, by gate: Node) -> Node {
    let (x, gate) = (values[x.index], values[gate.index])
    let channels = x.channels
    let image = x.count / x.shape[0]
    let y = ReferenceValue(x.shape)
    let stride = gate.shape.count == 1 ? 0 : channels
    func factor(_ i: Int) -> Int { i / image * stride + i % channels }
    for i in 0..<x.count { y.x.p[i] = x.x.p[i] * gate.x.p[factor(i)] }
    tape.append {
      for i in 0..<x.count {
        x.g.p[i] += y.g.p[i] * gate.x.p[factor(i)]
        gate.g.p[factor(i)] += y.g.p[i] * x.x.p[i]
      }
    }
    return push(y)
  }

  package func squeezeExcite(
    _ x: Node,
    _ name: String,
    through channels: Int,
    inner: Unary
  ) -> Node {
    let width = values[x.index].channels
    let squeezed = pointwise(averagePool(x), name + ".reduce", to: channels, bias: true)
    let excited = pointwise(unary(squeezed, inner), name + ".restore", to: width, bias: true)
    return scaleChannels(x, by: unary(excited, .hsigmoid))
  }

  package func crossEntropy(
    _ x: Node,
    labels: [Int32],
    smoothing: Float,
    mixed: (labels: [Int32], share: Float)?
  ) -> Node {
    let x = values[x.index]
    let k = x.channels
    let y = ReferenceValue([])
    let rows = labels.count
    let target = Doubles(x.count)
    let p = Doubles(x.count)
    for i in 0..<x.count {
      var hot = Int(labels[i / k]) == i % k ? 1.0 : 0.0
      if let mixed {
        let other = Int(mixed.labels[i / k]) == i % k ? 1.0 : 0.0
        hot += Double(mixed.share) * (other - hot)
      }
      target.p[i] = (1 - Double(smoothing)) * hot + Double(smoothing) / Double(k)
    }
    for r in 0..<rows {
      var sum = 0.0
      for i in r * k..<(r + 1) * k { sum += exp(x.x.p[i]) }
      for i in r * k..<(r + 1) * k {
        p.p[i] = exp(x.x.p[i]) / sum
        y.x.p[0] -= target.p[i] * log(p.p[i]) / Double(rows)
      }
    }
    tape.append {
      for i in 0..<x.count { x.g.p[i] += y.g.p[0] * (p.p[i] - target.p[i]) / Double(rows) }
    }
    return push(y)
  }

  package func unary(_ x: Node, _ operation: Unary) -> Node {
    let x = values[x.index]
    let k = x.channels
    if case .sum = operation {
      let y = ReferenceValue([])
      for i in 0..<x.count { y.x.p[0] += x.x.p[i] }
      tape.append { for i in 0..<x.count { x.g.p[i] += y.g.p[0] } }
      return push(y)
    }
    let y = ReferenceValue(x.shape)
    for i in 0..<x.count {
      let v = x.x.p[i]
      y.x.p[i] =
        switch operation {
        case .softmax, .exponential: exp(v)
        case .logarithm: log(v)
        case .positivePart, .relu: max(v, 0)
        case .hswish: activate(v, .hswish)
        case .hsigmoid: min(max(v + 3, 0), 6) / 6
        case .affine(let factor, let constant): Double(factor) * v + Double(constant)
        case .sum: 0
        }
    }
    if case .softmax = operation {
      for r in 0..<x.count / k {
        let sum = (0..<k).reduce(0) { $0 + y.x.p[r * k + $1] }
        for i in r * k..<(r + 1) * k { y.x.p[i] /= sum }
      }
    }
    tape.append {
      for i in 0..<x.count {
        let first = i / k * k
        switch operation {
        case .softmax:
          // The whole Jacobian, row by row: ∂p_j/∂x_i = p_j·([i = j] − p_i).
          for j in first..<first + k {
            x.g.p[i] += y.g.p[j] * y.x.p[j] * ((i == j ? 1 : 0) - y.x.p[i])
          }
        case .exponential: x.g.p[i] += y.g.p[i] * exp(x.x.p[i])
        case .logarithm: x.g.p[i] += y.g.p[i] / x.x.p[i]
        case .positivePart, .relu: x.g.p[i] += x.x.p[i] > 0 ? y.g.p[i] : 0
        case .hswish: x.g.p[i] += y.g.p[i] * activationSlope(x.x.p[i], .hswish)
        case .hsigmoid: x.g.p[i] += abs(x.x.p[i]) < 3 ? y.g.p[i] / 6 : 0
        case .affine(let factor, _): x.g.p[i] += y.g.p[i] * Double(factor)
        case .sum: break
        }
      }
    }
    return push(y)
  }

  package func repeatRows(_ x: Node, count: Int) -> Node {
    let x = values[x.index]
    let y = ReferenceValue([count, x.count])
    for i in 0..<y.count { y.x.p[i] = x.x.p[i % x.count] }
    tape.append { for i in 0..<y.count { x.g.p[i % x.count] += y.g.p[i] } }
    return push(y)
  }

  package func add(_ a: Node, _ b: Node) -> Node {
    let (a, b) = (values[a.index], values[b.index])
    let y = ReferenceValue(a.shape)
    for i in 0..<y.count { y.x.p[i] = a.x.p[i] + b.x.p[i] }
    tape.append {
      for i in 0..<y.count {
        a.g.p[i] += y.g.p[i]
        b.g.p[i] += y.g.p[i]
      }
    }
    return push(y)
  }

  package func multiply(_ a: Node, _ b: Node) -> Node {
    let (a, b) = (values[a.index], values[b.index])
    let y = ReferenceValue(a.shape)
    for i in 0..<y.count { y.x.p[i] = a.x.p[i] * b.x.p[i] }
    tape.append {
      for i in 0..<y.count {
        a.g.p[i] += y.g.p[i] * b.x.p[i]
        b.g.p[i] += y.g.p[i] * a.x.p[i]
      }
    }
    return push(y)
  }

  package func multiply(_ a: Node, constant values: [Float]) -> Node {
    let a = self.values[a.index]
    let y = ReferenceValue(a.shape)
    for i in 0..<y.count { y.x.p[i] = a.x.p[i] * Double(values[i]) }
    tape.append { for i in 0..<y.count { a.g.p[i] += y.g.p[i] * Double(values[i]) } }
    return push(y)
  }
}
