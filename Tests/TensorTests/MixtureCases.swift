import Tensor
import TestSupport

extension OperationCase {
  /// A layer of linear, ReLU-deferred and identity branches, as a searched layer has.
  private static func layer(
    _ g: any Graph,
    images: Int,
    weights: [Int],
    norm: Norm = .relu,
    residual: [Bool] = [true, false, true, false],
    channels: Int = 20,
    forward: [Float]? = nil
  ) -> Node {
    // The layer's input is itself a mixture's output: plain, with more than one reader.
    let x = g.materialise(g.deferred([images, 5, 7, channels], .linear))
    let a = g.pointwise(x, "a", to: 24, norm: norm)
    let b = g.pointwise(
      g.depthwise(a, "b", kernel: 3, stride: 1, norm: norm),
      "c",
      to: channels,
      norm: .linear
    )
    let d = g.pointwise(x, "d", to: channels, norm: norm)
    let e = g.pointwise(x, "e", to: channels)
    let m = g.unary(g.input("m", weights, .normal), .softmax)
    return g.weightedSum(
      [(b, residual[0]), (d, residual[1]), (e, residual[2]), (x, residual[3])],
      shortcut: residual.contains(true) ? x : nil,
      weights: m,
      forward: forward
    )
  }

  /// Mixtures with weights by batch and by image, soft and straight-through.
  static var mixtures: [OperationCase] {
    [Norm.relu, .hswish].flatMap { norm in
      [
        OperationCase(name: "mixture, one sample, \(norm)", isSmooth: norm != .relu) { g in
          layer(g, images: 3, weights: [4], norm: norm)
        },
        OperationCase(name: "mixture, a sample an image, \(norm)", isSmooth: norm != .relu) { g in
          layer(g, images: 3, weights: [3, 4], norm: norm)
        },
        OperationCase(name: "mixture without residuals, \(norm)", isSmooth: norm != .relu) { g in
          layer(g, images: 2, weights: [4], norm: norm, residual: [false, false, false, false])
        },
      ]
    } + [
      OperationCase(name: "mixture of 37 channels, a sample an image", isSmooth: false) { g in
        layer(g, images: 2, weights: [2, 4], channels: 37)
      },
      OperationCase(name: "mixture, straight-through, one sample", isSmooth: false, isExact: false)
      {
        g in layer(g, images: 3, weights: [4], forward: [0, 1, 0, 0])
      },
      OperationCase(
        name: "mixture, straight-through, residual branch",
        isSmooth: false,
        isExact: false
      ) { g in layer(g, images: 3, weights: [4], forward: [1, 0, 0, 0]) },
      OperationCase(
        name: "mixture, straight-through, identity branch",
        isSmooth: false,
        isExact: false
      ) { g in layer(g, images: 3, weights: [4], forward: [0, 0, 0, 1]) },
      OperationCase(
        name: "mixture, straight-through, a sample an image",
        isSmooth: false,
        isExact: false
      ) { g in
        layer(g, images: 3, weights: [3, 4], forward: [1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0])
      },
      OperationCase(
        name: "mixture of weights 1, whose branches share one gradient and have other readers",
        isSmooth: false,
        isExact: false
      ) { g in
        let (a, b) = (g.input("a", [6, 8], .normal), g.input("b", [6, 8], .normal))
        let (c, d) = (g.pointwise(a, "c", to: 8), g.pointwise(b, "d", to: 8))
        return g.weightedSum(
          [(a, false), (b, false), (c, false), (d, true)],
          shortcut: a,
          weights: g.input("m", [4], .normal),
          forward: [1, 1, 1, 1]
        )
      },
      OperationCase(name: "mixture of nothing", isSmooth: false, isExact: false) { g in
        layer(g, images: 2, weights: [4], forward: [0, 0, 0, 0])
      },
      OperationCase(name: "two mixtures in a row", isSmooth: false) { g in
        let x = g.materialise(g.deferred([2, 4, 5, 16], .relu))
        let m = g.unary(g.input("m", [2], .normal), .softmax)
        let a = g.pointwise(x, "a", to: 16, norm: .linear)
        let y = g.weightedSum([(a, true), (x, false)], shortcut: x, weights: m, forward: nil)
        let b = g.depthwise(y, "b", kernel: 3, stride: 1, norm: .relu)
        let c = g.pointwise(y, "c", to: 16, norm: .linear)
        let z = g.weightedSum([(b, false), (c, true)], shortcut: y, weights: m, forward: nil)
        return g.averagePool(z)
      },
      OperationCase(name: "mixture of plain leaves") { g in
        let (a, b) = (g.input("a", [3, 7], .normal), g.input("b", [3, 7], .normal))
        let m = g.input("m", [3, 2], .normal)
        return g.weightedSum([(a, false), (b, true)], shortcut: a, weights: m, forward: nil)
      },
    ]
  }

  /// Pools, rearrangements, losses and small arithmetic.
  static var plain: [OperationCase] {
    norms.flatMap { norm in
      [
        OperationCase(name: "average pool of \(norm)", isSmooth: norm != .relu) { g in
          g.averagePool(g.deferred([3, 5, 3, 21], norm))
        },
        OperationCase(name: "materialise \(norm)", isSmooth: norm != .relu) { g in
          g.materialise(g.deferred([3, 5, 3, 21], norm))
        },
        OperationCase(name: "shuffle \(norm)", isSmooth: norm != .relu) { g in
          g.channelShuffle(g.deferred([3, 4, 3, 18], norm), groups: norm == .linear ? 3 : 2)
        },
        OperationCase(name: "\(norm) padded and read twice", isSmooth: norm != .relu) { g in
          let x = g.deferred([3, 4, 3, 18], norm)
          return g.add(g.padChannels(x, to: 21), g.padChannels(g.pointwise(x, "c", to: 5), to: 21))
        },
      ]
    }
      + [Float(0), 0.1].map { smoothing in
        OperationCase(name: "cross-entropy, smoothing \(smoothing)") { g in
          let x = g.input("x", [5, 7], .normal)
          return g.crossEntropy(x, labels: [0, 6, 3, 3, 1], smoothing: smoothing)
        }
      } + [
        OperationCase(name: "softmax") { g in g.unary(g.input("x", [3, 9], .normal), .softmax) },
        OperationCase(name: "exponential") { g in
          g.unary(g.input("x", [11], .normal), .exponential)
        },
        OperationCase(name: "logarithm") { g in g.unary(g.input("x", [11], .positive), .logarithm)
        },
        OperationCase(name: "affine") { g in
          g.unary(g.input("x", [11], .normal), .affine(factor: -1.5, constant: 0.25))
        },
        OperationCase(name: "positive part", isSmooth: false) { g in
          g.unary(g.input("x", [31], .normal), .positivePart)
        },
        OperationCase(name: "sum") { g in g.unary(g.input("x", [3, 5], .normal), .sum) },
        OperationCase(name: "add") { g in
          g.add(g.input("a", [4, 3], .normal), g.input("b", [4, 3], .normal))
        },
        OperationCase(name: "multiply") { g in
          g.multiply(g.input("a", [4, 3], .normal), g.input("b", [4, 3], .normal))
        },
        OperationCase(name: "rows repeated, then softmax") { g in
          let theta = g.repeatRows(g.input("theta", [5], .normal), count: 3)
          return g.unary(g.add(theta, g.input("noise", [3, 5], .normal)), .softmax)
        },
        OperationCase(name: "square by multiply, and sum with itself") { g in
          let x = g.input("x", [9], .normal)
          return g.add(g.multiply(x, x), x)
        },
        OperationCase(name: "logarithmic cost of a softmax") { g in
          // Σ m·cost, its logarithm, a factor, times a second loss: the search's own loss.
          let m = g.unary(g.input("theta", [9], .normal), .softmax)
          let cost = g.unary(g.multiply(m, g.input("cost", [9], .positive)), .sum)
          let factor = g.unary(
            g.unary(cost, .logarithm),
            .affine(factor: 0.6, constant: 1)
          )
          let loss = g.unary(g.unary(g.input("x", [5], .small), .exponential), .sum)
          return g.multiply(loss, factor)
        },
      ]
  }
}

private let norms = Norm.allCases
