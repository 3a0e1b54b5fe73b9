import Tensor
import TestSupport

private let norms = Norm.allCases

/// Choices of width, kernel, activation and squeeze-and-excitation (spec S20 to S22).
extension OperationCase {
  /// An inverted residual with every choice of FBNetV2 but the skip.
  static func maskedResidual(
    _ g: any Graph,
    _ x: Node,
    middle: Int,
    to channels: Int,
    hard: Bool = false
  ) -> Node {
    func choice(_ name: String, _ options: Int) -> Node {
      g.unary(g.input(name, [options], .normal), .softmax)
    }
    func forward(_ options: Int) -> [Float]? {
      hard ? (0..<options).map { $0 == 0 ? 1 : 0 } : nil
    }
    let activation = choice("activation", 2)
    func activated(_ x: Node) -> Node {
      g.mixActivations(x, [.relu, .hswish], weights: activation, forward: forward(2))
    }
    let taps = g.tapMask(choice("kernel", 2), sides: [3, 5], forward: forward(2))
    let expanded = activated(g.pointwise(x, "expand", to: middle, norm: .linear))
    let a = activated(
      g.depthwise(expanded, "depthwise", kernel: 5, stride: 1, taps: taps, norm: .linear)
    )
    let mask = g.channelMask(
      choice("middle", 3),
      widths: [middle / 4, middle / 2, middle],
      forward: forward(3)
    )
    let excited = g.squeezeExcite(g.mask(a, by: mask), "excite", through: 6, inner: .relu)
    let b = g.weightedSum(
      [(excited, false), (g.mask(a, by: mask), false)],
      shortcut: nil,
      weights: choice("squeeze", 2),
      forward: forward(2)
    )
    let c = g.pointwise(b, "project", to: channels, norm: .linear)
    let output = g.channelMask(
      choice("output", 2),
      widths: [channels / 2, channels],
      forward: forward(2)
    )
    return g.materialise(g.mask(c, by: output))
  }

  /// Masks from weights, and what they do to a tensor with every norm deferred.
  static var masks: [OperationCase] {
    made + applied + chosen + read + [
      OperationCase(name: "masked inverted residual", isSmooth: false) { g in
        maskedResidual(g, g.input("x", [3, 6, 5, 8], .normal), middle: 24, to: 10)
      },
      OperationCase(name: "masked inverted residual, one-hot", isSmooth: false, isExact: false) {
        g in
        maskedResidual(g, g.input("x", [3, 6, 5, 8], .normal), middle: 24, to: 10, hard: true)
      },
      OperationCase(name: "a gate or 1, under a mask, by image") { g in
        let x = g.deferred([3, 4, 5, 12], .hswish)
        let mask = g.channelMask(g.input("g", [3, 2], .positive), widths: [5, 12], forward: nil)
        let gate = g.unary(g.pointwise(g.averagePool(x), "gate", to: 12, bias: true), .hswish)
        let one = g.unary(gate, .affine(factor: 0, constant: 1))
        let mixed = g.weightedSum(
          [(gate, false), (one, false)],
          shortcut: nil,
          weights: g.input("squeeze", [3, 2], .positive),
          forward: nil
        )
        return g.scaleChannels(x, by: g.mask(mixed, by: mask))
      },
    ]
  }

  private static var made: [OperationCase] {
    [
      OperationCase(name: "channel mask of three widths") { g in
        g.channelMask(g.input("g", [3], .normal), widths: [2, 5, 9], forward: nil)
      },
      OperationCase(name: "channel mask, a draw an image") { g in
        g.channelMask(g.input("g", [4, 3], .normal), widths: [1, 8, 24], forward: nil)
      },
      OperationCase(name: "channel mask of one width, and of equal ones") { g in
        let a = g.channelMask(g.input("a", [1], .normal), widths: [6], forward: nil)
        let b = g.channelMask(g.input("b", [4], .normal), widths: [2, 2, 6, 6], forward: nil)
        return g.multiply(a, b)
      },
      OperationCase(name: "channel mask, straight-through", isSmooth: false, isExact: false) { g in
        let g1 = g.unary(g.input("g", [2, 3], .normal), .softmax)
        return g.channelMask(g1, widths: [2, 5, 9], forward: [0, 1, 0, 1, 0, 0])
      },
      OperationCase(name: "mask of the taps of 3×3 and 5×5") { g in
        g.tapMask(g.input("g", [2], .normal), sides: [3, 5], forward: nil)
      },
      OperationCase(name: "mask of the taps of 1×1, 3×3 and 7×7") { g in
        g.tapMask(g.input("g", [3], .normal), sides: [1, 3, 7], forward: nil)
      },
    ]
  }

  /// A leaf as mask: one for all images and one for each, positive, and of either sign.
  private static var applied: [OperationCase] {
    let fills: [(String, Fill)] = [("positive", .positive), ("of either sign", .normal)]
    let all = norms.flatMap { norm in fills.map { (norm, $0.0, $0.1) } }
    return all.flatMap { norm, name, fill -> [OperationCase] in
      [
        OperationCase(name: "\(norm) under a mask \(name)", isSmooth: norm != .relu) { g in
          let x = g.deferred([3, 5, 4, 21], norm)
          return g.materialise(g.mask(x, by: g.input("mask", [21], fill)))
        },
        OperationCase(
          name: "\(norm) under a mask \(name) by image",
          isSmooth: norm != .relu
        ) { g in
          let x = g.deferred([3, 5, 4, 21], norm)
          return g.materialise(g.mask(x, by: g.input("mask", [3, 21], fill)))
        },
      ]
    } + [
      OperationCase(name: "vectors under one mask and under one each") { g in
        let x = g.input("x", [4, 9], .normal)
        let y = g.mask(x, by: g.input("shared", [9], .normal))
        return g.mask(y, by: g.input("own", [4, 9], .normal))
      }
    ]
  }

  /// Masks of a choice, soft and one-hot: the gradient of a wider option comes from channels that
  /// are 0 forward.
  private static var chosen: [OperationCase] {
    let choices: [(String, [Float]?)] = [
      ("soft", nil), ("one-hot", [0, 1, 0]), ("narrowest", [1, 0, 0]),
    ]
    return norms.flatMap { norm in
      choices.map { name, forward in
        OperationCase(
          name: "\(norm) under the mask of a choice, \(name)",
          isSmooth: norm != .relu && forward == nil,
          isExact: forward == nil
        ) { g in
          let weights = g.unary(g.input("g", [3], .normal), .softmax)
          let mask = g.channelMask(weights, widths: [4, 12, 20], forward: forward)
          let y = g.mask(g.deferred([2, 5, 4, 20], norm), by: mask)
          return g.pointwise(y, "after", to: 7, norm: .linear)
        }
      }
    }
  }

  /// Readers of a masked normalisation, one and two of them.
  private static var read: [OperationCase] {
    typealias Reader = @Sendable (any Graph, Node) -> Node
    let mixture: @Sendable (any Graph, Node, [Int]) -> Node = { g, x, shape in
      let y = g.input("y", [2, 6, 5, 12], .normal)
      let weights = g.input("m", shape, .positive)
      return g.weightedSum([(x, true), (y, false)], shortcut: y, weights: weights, forward: nil)
    }
    let readers: [(String, Reader)] = [
      ("depthwise", { g, x in g.depthwise(x, "after", kernel: 3, stride: 2, norm: .linear) }),
      (
        "3×3",
        { g, x in
          let geometry = ConvolutionGeometry(kernel: 3, stride: 1, padding: 1)
          return g.convolution(x, "after", to: 5, geometry: geometry, bias: false, norm: .off)
        }
      ),
      (
        "1×1 and pool",
        { g, x in g.add(g.averagePool(g.pointwise(x, "after", to: 12)), g.averagePool(x)) }
      ),
      ("a mixture", { g, x in mixture(g, x, [2]) }),
      ("a mixture by image", { g, x in mixture(g, x, [2, 2]) }),
      (
        "1×1 under a second mask",
        { g, x in g.pointwise(g.mask(x, by: g.input("second", [12], .positive)), "after", to: 6) }
      ),
      (
        "a mixture under a second mask",
        { g, x in mixture(g, g.mask(x, by: g.input("second", [12], .positive)), [2]) }
      ),
    ]
    return [Norm.linear, .relu].flatMap { norm in
      readers.map { name, reader in
        OperationCase(name: "masked \(norm) read by \(name)", isSmooth: norm != .relu) { g in
          let x = g.deferred([2, 6, 5, 12], norm)
          return reader(g, g.mask(x, by: g.input("mask", [12], .positive)))
        }
      }
    }
  }

  /// Depthwise filters of which a choice takes the centre.
  static var maskedTaps: [OperationCase] {
    let shapes: [(sides: [Int], stride: Int, channels: Int)] = [
      ([3, 5], 1, 20), ([3, 5], 2, 8), ([1, 3], 1, 17), ([3, 5, 7], 1, 24),
    ]
    return shapes.enumerated().flatMap { i, s in
      [false, true].map { hard in
        let (before, after) = (norms[i % 4], norms[(i + 2) % 4])
        let forward: [Float]? = hard ? s.sides.indices.map { $0 == 0 ? 1 : 0 } : nil
        return OperationCase(
          name: "depthwise of a choice of \(s.sides)/\(s.stride), \(before) before, \(after) after"
            + (hard ? ", one-hot" : ""),
          isSmooth: !hard && before != .relu && after != .relu,
          isExact: !hard
        ) { g in
          let weights = g.unary(g.input("g", [s.sides.count], .normal), .softmax)
          return g.depthwise(
            g.deferred([2, 7, 6, s.channels], before),
            "depthwise",
            kernel: s.sides.max() ?? 0,
            stride: s.stride,
            taps: g.tapMask(weights, sides: s.sides, forward: forward),
            norm: after
          )
        }
      }
    }
  }

  /// Choices between activations, of plain tensors and of a batch-norm.
  static var activationMixtures: [OperationCase] {
    let all: [Norm] = [.relu, .hswish, .linear]
    return [Norm.off, .linear].flatMap { norm -> [OperationCase] in
      [
        OperationCase(name: "ReLU or hswish of \(norm)", isSmooth: false) { g in
          let x = g.deferred([3, 5, 4, 21], norm)
          let weights = g.unary(g.input("m", [2], .normal), .softmax)
          return g.mixActivations(x, [.relu, .hswish], weights: weights, forward: nil)
        },
        OperationCase(name: "hswish or nothing of \(norm), by image") { g in
          let x = g.deferred([3, 5, 4, 33], norm)
          let weights = g.input("m", [3, 2], .normal)
          return g.mixActivations(x, [.hswish, .linear], weights: weights, forward: nil)
        },
        OperationCase(
          name: "three activations of \(norm), one-hot",
          isSmooth: false,
          isExact: false
        ) { g in
          let x = g.deferred([3, 5, 4, 8], norm)
          let weights = g.unary(g.input("m", [3], .normal), .softmax)
          return g.mixActivations(x, all, weights: weights, forward: [0, 1, 0])
        },
        OperationCase(name: "mixed activation of \(norm) with other readers", isSmooth: false) {
          g in
          let x = g.deferred([3, 5, 4, 12], norm)
          let weights = g.input("m", [2], .normal)
          let a = g.mixActivations(x, [.relu, .hswish], weights: weights, forward: nil)
          let b = g.mixActivations(x, [.hswish, .relu], weights: weights, forward: nil)
          return g.add(g.pointwise(x, "c", to: 12), g.add(a, b))
        },
      ]
    } + [
      // Spread so that the flat ends of hswish are reached.
      OperationCase(name: "mixed activation of large vectors", isSmooth: false) { g in
        let x = g.unary(g.input("x", [5, 9], .normal), .affine(factor: 4, constant: 0))
        let weights = g.input("m", [3], .normal)
        return g.mixActivations(x, all, weights: weights, forward: nil)
      }
    ]
  }
}
