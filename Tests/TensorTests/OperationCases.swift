import Tensor
import TestSupport
import Testing

/// A graph whose output and gradients are checked.
struct OperationCase: CustomTestStringConvertible, Sendable {
  var name: String
  /// Whether the engine itself may be checked by central differences: no kinks, and no gradient
  /// that is meant to differ from the slope.
  var isSmooth = true
  /// Whether the gradient is the slope; false for straight-through weights.
  var isExact = true
  var build: @Sendable (any Graph) -> Node

  var testDescription: String { name }

  static var all: [OperationCase] {
    pointwise + grouped + patches + depthwise + chains + readers + residuals + mixtures + plain
      + excited + groupedPatches + borders + recipes + masks + maskedTaps + activationMixtures
      + resolutions + checkpoints
  }
}

private let norms = Norm.allCases

private func isSmooth(_ norms: Norm...) -> Bool { !norms.contains(.relu) }

extension OperationCase {
  /// 1×1 convolutions, widths on both sides of every vector, every deferred norm before and after.
  static var pointwise: [OperationCase] {
    let widths = [(1, 1), (3, 5), (8, 24), (16, 16), (20, 40), (17, 33), (40, 8)]
    let crossed = norms.flatMap { before in norms.map { (before, $0) } }
    let normed = crossed.enumerated().map { i, pair in
      let (from, to) = widths[i % widths.count]
      return OperationCase(
        name: "1×1 \(from)→\(to), \(pair.0) before, \(pair.1) after",
        isSmooth: TensorTests.isSmooth(pair.0, pair.1)
      ) { g in
        g.pointwise(g.deferred([2, 5, 6, from], pair.0), "conv", to: to, norm: pair.1)
      }
    }
    let biased = widths.map { from, to in
      OperationCase(name: "linear \(from)→\(to) with bias") { g in
        g.pointwise(g.input("x", [7, from], .normal), "linear", to: to, bias: true)
      }
    }
    let large = OperationCase(name: "1×1 24→40, 1,600 rows", isSmooth: false) { g in
      g.pointwise(g.deferred([4, 20, 20, 24], .relu), "conv", to: 40, norm: .relu)
    }
    return normed + biased + [large]
  }

  /// Grouped 1×1 convolutions, and with the channel shuffle between two.
  static var grouped: [OperationCase] {
    let widths = [(8, 16), (20, 6), (16, 48), (2, 2), (40, 34)]
    return widths.enumerated().map { i, width in
      let (from, to) = width
      let (before, after) = (norms[i % 4], norms[(i + 2) % 4])
      return OperationCase(
        name: "grouped 1×1 \(from)→\(to), \(before) before, \(after) after",
        isSmooth: TensorTests.isSmooth(before, after)
      ) { g in
        g.pointwise(g.deferred([3, 5, 4, from], before), "conv", to: to, groups: 2, norm: after)
      }
    } + [
      OperationCase(name: "grouped 1×1, three groups, bias") { g in
        g.pointwise(g.input("x", [2, 3, 5, 9], .normal), "conv", to: 12, groups: 3, bias: true)
      },
      OperationCase(name: "grouped 1×1, shuffle, grouped 1×1", isSmooth: false) { g in
        let a = g.pointwise(g.deferred([2, 5, 5, 8], .off), "a", to: 24, groups: 2, norm: .relu)
        let b = g.channelShuffle(a, groups: 2)
        return g.pointwise(b, "b", to: 10, groups: 2, norm: .linear)
      },
    ]
  }

  /// k×k convolutions (the stem) and the strided 1×1 of a skip block.
  static var patches: [OperationCase] {
    let shapes: [(kernel: Int, stride: Int, from: Int, to: Int, height: Int, width: Int)] = [
      (3, 1, 3, 16, 6, 7), (3, 2, 3, 16, 7, 8), (3, 2, 1, 5, 8, 8), (3, 1, 8, 9, 5, 5),
      (5, 1, 3, 8, 6, 6), (5, 2, 4, 20, 9, 7), (1, 2, 8, 24, 7, 6), (1, 2, 17, 8, 6, 8),
      (3, 2, 20, 33, 6, 5),
    ]
    return shapes.enumerated().map { i, s in
      let (before, after) = (norms[i % 4], norms[(i / 2 + 1) % 4])
      return OperationCase(
        name: "\(s.kernel)×\(s.kernel)/\(s.stride) \(s.from)→\(s.to) at \(s.height)×\(s.width), "
          + "\(before) before, \(after) after",
        isSmooth: TensorTests.isSmooth(before, after)
      ) { g in
        g.convolution(
          g.deferred([3, s.height, s.width, s.from], before),
          "conv",
          to: s.to,
          geometry: .init(kernel: s.kernel, stride: s.stride, padding: s.kernel / 2),
          bias: after == .off,
          norm: after
        )
      }
    } + [
      OperationCase(name: "3×3/2 3→16 at 40×40, several chunks", isSmooth: false) { g in
        g.convolution(
          g.input("x", [4, 40, 40, 3], .normal),
          "stem",
          to: 16,
          geometry: .init(kernel: 3, stride: 2, padding: 1),
          bias: false,
          norm: .relu
        )
      }
    ]
  }

  /// Depthwise convolutions: kernels × strides × sizes × widths, the norms taking turns.
  static var depthwise: [OperationCase] {
    var cases: [OperationCase] = []
    for kernel in [3, 5, 7] {
      for stride in [1, 2] {
        for (height, width) in [(5, 9), (6, 8)] {
          for channels in [1, 3, 8, 16, 20, 24, 40] {
            // 16 pairs against 14 cases of a kernel and stride: all pairs come up at every stride.
            let before = norms[cases.count % 4]
            let after = norms[(cases.count / 4 + cases.count / 14) % 4]
            cases.append(
              OperationCase(
                name: "depthwise \(kernel)×\(kernel)/\(stride) \(channels) channels at "
                  + "\(height)×\(width), \(before) before, \(after) after",
                isSmooth: TensorTests.isSmooth(before, after)
              ) { g in
                g.depthwise(
                  g.deferred([2, height, width, channels], before),
                  "depthwise",
                  kernel: kernel,
                  stride: stride,
                  norm: after
                )
              }
            )
          }
        }
      }
    }
    for (kernel, stride) in [(3, 1), (5, 2)] {
      cases.append(
        OperationCase(name: "depthwise \(kernel)×\(kernel)/\(stride) in bands", isSmooth: false) {
          g in
          let x = g.deferred([1, 44, 64, 40], .relu)
          return g.depthwise(x, "depthwise", kernel: kernel, stride: stride, norm: .relu)
        }
      )
    }
    for (height, width) in [(1, 1), (2, 3), (1, 6)] {
      cases.append(
        OperationCase(name: "depthwise 5×5/2 wider than its \(height)×\(width) input") { g in
          let x = g.deferred([5, height, width, 6], .hswish)
          return g.depthwise(x, "depthwise", kernel: 5, stride: 2, norm: .linear)
        }
      )
    }
    return cases
  }

  /// Inverted residuals: normalisations applied by readers all the way.
  static var chains: [OperationCase] {
    [Norm.relu, .hswish].flatMap { norm in
      [(3, 1, 24), (5, 2, 20), (3, 2, 48)].map { kernel, stride, middle in
        OperationCase(
          name: "inverted residual \(kernel)×\(kernel)/\(stride), width \(middle), \(norm)",
          isSmooth: norm != .relu
        ) { g in
          let x = g.input("x", [3, 7, 8, 8], .normal)
          let a = g.pointwise(x, "expand", to: middle, norm: norm)
          let b = g.depthwise(a, "depthwise", kernel: kernel, stride: stride, norm: norm)
          return g.pointwise(b, "project", to: 12, norm: .linear)
        }
      }
    } + [
      OperationCase(name: "stem, block, head, pool, linear, cross-entropy", isSmooth: false) { g in
        let x = g.convolution(
          g.input("x", [4, 8, 8, 3], .normal),
          "stem",
          to: 16,
          geometry: .init(kernel: 3, stride: 2, padding: 1),
          bias: false,
          norm: .relu
        )
        let a = g.pointwise(x, "expand", to: 32, norm: .relu)
        let b = g.depthwise(a, "depthwise", kernel: 3, stride: 1, norm: .relu)
        let c = g.pointwise(b, "project", to: 16, norm: .linear)
        let d = g.pointwise(c, "head", to: 40, norm: .relu)
        let logits = g.pointwise(g.averagePool(d), "classifier", to: 10, bias: true)
        return g.crossEntropy(logits, labels: [3, 0, 9, 3], smoothing: 0.1)
      }
    ]
  }

  /// Pending tensors with two readers, in every order that the engine allows.
  static var readers: [OperationCase] {
    typealias Reader = @Sendable (any Graph, Node, String) -> Node
    let readers: [(String, Reader)] = [
      ("1×1", { g, x, name in g.pointwise(x, name, to: 12) }),
      ("depthwise", { g, x, name in g.depthwise(x, name, kernel: 3, stride: 1, norm: .off) }),
      ("grouped", { g, x, name in g.pointwise(x, name, to: 12, groups: 2) }),
      ("shuffle", { g, x, _ in g.channelShuffle(x, groups: 3) }),
      ("materialise", { g, x, _ in g.materialise(x) }),
    ]
    let pairs = readers.flatMap { a in readers.map { b in (a, b) } }
    return pairs.enumerated().map { i, pair in
      let norm = [Norm.relu, .hswish, .linear][i % 3]
      return OperationCase(
        name: "\(norm) read by \(pair.0.0) and \(pair.1.0)",
        isSmooth: norm != .relu
      ) { g in
        let x = g.deferred([2, 5, 5, 12], norm)
        return g.add(pair.0.1(g, x, "a"), pair.1.1(g, x, "b"))
      }
    }
      + norms.map { norm in
        OperationCase(name: "\(norm) read by averagePool and 1×1", isSmooth: norm != .relu) { g in
          let x = g.deferred([3, 5, 4, 20], norm)
          let a = g.averagePool(x)
          let b = g.averagePool(g.pointwise(x, "b", to: 20))
          return g.add(a, b)
        }
      }
      + norms.map { norm in
        OperationCase(name: "\(norm) read by 1×1 and averagePool", isSmooth: norm != .relu) { g in
          let x = g.deferred([3, 5, 4, 20], norm)
          let b = g.averagePool(g.pointwise(x, "b", to: 20))
          return g.add(g.averagePool(x), b)
        }
      }
      + norms.map { norm in
        OperationCase(name: "\(norm) read by depthwise, then a mixture", isSmooth: norm != .relu) {
          g in
          let x = g.deferred([2, 5, 4, 20], norm)
          let a = g.depthwise(x, "a", kernel: 3, stride: 1, norm: .linear)
          let m = g.input("m", [2], .positive)
          return g.weightedSum([(x, false), (a, false)], shortcut: nil, weights: m, forward: nil)
        }
      }
  }
}
