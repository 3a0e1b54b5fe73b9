import Tensor
import TestSupport

private let norms = Norm.allCases

/// Choices of resolution, and operations that are run again (spec S23).
extension OperationCase {
  private static func conv(_ g: any Graph, _ x: Node, _ norm: Norm, stride: Int = 1) -> Node {
    g.convolution(
      x,
      "conv",
      to: 6,
      geometry: .init(kernel: 3, stride: stride, padding: 1),
      bias: false,
      norm: norm
    )
  }

  static var resolutions: [OperationCase] {
    moved + shared + summed
  }

  /// A 1×1 convolution that runs once for grids of several sizes, each with its batch-norm.
  private static var shared: [OperationCase] {
    norms.filter { $0 != .off }.map { norm in
      OperationCase(name: "1×1 once for sizes with \(norm)", isSmooth: norm != .relu) { g in
        let raw = g.pointwise(g.input("x", [2, 7, 6, 5], .normal), "expand", to: 9)
        let options = [(3, 2), (5, 4), (7, 6)].map { height, width in
          let small = g.subsample(raw, to: MapSize(height: height, width: width), "b", norm: norm)
          let y = g.depthwise(small, "depthwise", kernel: 3, stride: 1, norm: .linear)
          return (g.scatter(y, to: MapSize(height: 7, width: 6)), isResidual: false)
        }
        let weights = g.unary(g.input("m", [3], .normal), .softmax)
        return g.weightedSum(options, shortcut: nil, weights: weights, forward: nil)
      }
    } + [strided, pooled, activated]
  }

  /// The raw output of a 1×1 convolution at three sizes.
  private static func views(_ g: any Graph, norm: Norm) -> [Node] {
    let raw = g.pointwise(g.input("x", [2, 7, 6, 5], .normal), "expand", to: 9)
    return [(3, 2), (5, 4), (7, 6)].map { height, width in
      g.subsample(raw, to: MapSize(height: height, width: width), "b", norm: norm)
    }
  }

  private static func sum(
    _ g: any Graph,
    of nodes: [Node],
    _ operation: (Node) -> Node
  ) -> Node {
    let terms = nodes.map(operation)
    return terms.dropFirst().reduce(terms[0]) { g.add($0, $1) }
  }

  private static var strided: OperationCase {
    OperationCase(name: "1×1 once for strided convolutions of sizes") { g in
      sum(g, of: views(g, norm: .hswish)) {
        let y = g.depthwise($0, "depthwise", kernel: 5, stride: 2, norm: .linear)
        return g.scatter(y, to: MapSize(height: 4, width: 3))
      }
    }
  }

  private static var pooled: OperationCase {
    OperationCase(name: "1×1 once for means of sizes") { g in
      sum(g, of: views(g, norm: .hswish)) { g.averagePool($0) }
    }
  }

  private static var activated: OperationCase {
    OperationCase(name: "1×1 once for mixed activations of sizes", isSmooth: false) { g in
      let weights = g.unary(g.input("a", [2], .normal), .softmax)
      return sum(g, of: views(g, norm: .linear)) {
        let y = g.mixActivations($0, [.relu, .hswish], weights: weights, forward: nil)
        return g.scatter(y, to: MapSize(height: 7, width: 6))
      }
    }
  }

  /// Pixels of a grid, there and back.
  private static var moved: [OperationCase] {
    let sizes = [(1, 1), (3, 2), (4, 5), (7, 6)]
    return norms.enumerated().flatMap { i, norm -> [OperationCase] in
      let size = MapSize(height: sizes[i].0, width: sizes[i].1)
      return [
        OperationCase(
          name: "\(size.height)×\(size.width) pixels of \(norm)",
          isSmooth: norm != .relu
        ) { g in g.subsample(g.deferred([2, 7, 6, 9], norm), to: size) },
        OperationCase(
          name: "\(norm) scattered from \(size.height)×\(size.width)",
          isSmooth: norm != .relu
        ) { g in
          let x = g.deferred([2, size.height, size.width, 9], norm)
          return g.scatter(x, to: MapSize(height: 7, width: 6))
        },
        OperationCase(name: "\(norm) read at two sizes", isSmooth: norm != .relu) { g in
          let x = g.deferred([2, 7, 6, 9], norm)
          let whole = MapSize(height: 7, width: 6)
          let a = g.scatter(g.subsample(x, to: size), to: whole)
          let b = g.subsample(x, to: MapSize(height: 5, width: 3))
          return g.add(g.add(a, g.pointwise(x, "c", to: 9)), g.scatter(b, to: whole))
        },
      ]
    }
  }

  /// Options of resolution that share an operator.
  private static var summed: [OperationCase] {
    let sizes = [(3, 3), (5, 4), (7, 6)].map { MapSize(height: $0.0, width: $0.1) }
    func sum(
      _ name: String,
      of before: Norm = .off,
      weights shape: [Int] = [3],
      forward: [Float]? = nil,
      stride: Int = 1,
      isSmooth: Bool = true,
      _ body: @escaping @Sendable (any Graph, Node) -> Node
    ) -> OperationCase {
      OperationCase(
        name: name,
        isSmooth: isSmooth && forward == nil && before != .relu,
        isExact: forward == nil
      ) { g in
        g.resolutionSum(
          g.deferred([2, 7, 6, 5], before),
          sizes: sizes,
          weights: g.unary(g.input("m", shape, .normal), .softmax),
          forward: forward,
          inputs: [],
          to: MapSize(height: (7 + stride - 1) / stride, width: (6 + stride - 1) / stride)
        ) { body(g, $0) }
      }
    }
    return norms.map { norm in
      sum("resolutions of a convolution with \(norm)", of: norm, isSmooth: norm != .relu) {
        conv($0, $1, norm)
      }
    } + [
      sum("resolutions, one draw") { conv($0, $1, .linear) },
      sum("resolutions by image, drawn", weights: [2, 3]) { conv($0, $1, .linear) },
      sum("resolutions of a strided convolution", stride: 2) { conv($0, $1, .hswish, stride: 2) },
      sum("resolutions, one-hot", forward: [0, 1, 0]) { conv($0, $1, .linear) },
      sum("resolutions, one-hot, the whole map", forward: [0, 0, 1]) { conv($0, $1, .relu) },
      sum(
        "resolutions, one-hot by image",
        of: .hswish,
        weights: [2, 3],
        forward: [0, 1, 0, 1, 0, 0]
      ) { conv($0, $1, .linear) },
      sum("resolutions, none", forward: [0, 0, 0]) { conv($0, $1, .linear) },
      sum("resolutions of nothing") { $1 },
      OperationCase(name: "resolutions of a masked convolution") { g in
        let mask = g.channelMask(g.input("g", [2], .normal), widths: [2, 6], forward: nil)
        let x = g.input("x", [2, 7, 6, 5], .normal)
        return g.resolutionSum(
          x,
          sizes: sizes,
          weights: g.unary(g.input("m", [3], .normal), .softmax),
          forward: nil,
          inputs: [mask],
          to: MapSize(height: 7, width: 6)
        ) { g.mask(conv(g, $0, .hswish), by: mask) }
      },
      sum("resolutions of an inverted residual", of: .linear, isSmooth: false) { g, x in
        g.invertedResiduals(
          g.materialise(x),
          [Residual("block", kernel: 5, middle: 16)],
          to: 5,
          stride: 1
        )[0]
      },
    ]
  }

  /// Operations that save nothing and are run again.
  static var checkpoints: [OperationCase] {
    norms.map { norm in
      OperationCase(name: "checkpoint of \(norm) to \(norm)", isSmooth: norm != .relu) { g in
        let x = g.deferred([2, 6, 5, 8], norm)
        return g.checkpoint([x]) {
          let a = g.depthwise(x, "depthwise", kernel: 3, stride: 1, norm: norm)
          return g.pointwise(a, "project", to: 7, norm: norm)
        }
      }
    } + [
      OperationCase(name: "checkpoints in a row, with other readers", isSmooth: false) { g in
        let x = g.materialise(g.deferred([2, 6, 5, 8], .hswish))
        let a = g.checkpoint([x]) { conv(g, x, .relu) }
        let b = g.checkpoint([a]) { g.pointwise(a, "b", to: 8, norm: .linear) }
        return g.add(g.averagePool(g.materialise(b)), g.averagePool(x))
      },
      OperationCase(name: "checkpoint in a checkpoint", isSmooth: false) { g in
        let x = g.input("x", [2, 6, 5, 8], .normal)
        return g.checkpoint([x]) {
          let a = conv(g, x, .relu)
          return g.checkpoint([a]) { g.pointwise(a, "b", to: 8, norm: .linear) }
        }
      },
      OperationCase(name: "checkpoint in a mixture", isSmooth: false) { g in
        let x = g.materialise(g.deferred([2, 6, 5, 8], .linear))
        let a = g.checkpoint([x]) {
          g.depthwise(x, "depthwise", kernel: 3, stride: 1, norm: .relu)
        }
        let m = g.unary(g.input("m", [2], .normal), .softmax)
        return g.weightedSum([(a, true), (x, false)], shortcut: x, weights: m, forward: nil)
      },
      OperationCase(name: "checkpoint of nothing") { g in
        let x = g.input("x", [4, 6], .normal)
        return g.add(g.checkpoint([x]) { x }, x)
      },
    ]
  }
}
