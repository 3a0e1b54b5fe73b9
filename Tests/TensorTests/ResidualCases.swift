import Tensor
import TestSupport

extension OperationCase {
  /// A layer of inverted residuals whose outputs are mixed, on an input with a second reader.
  static func residualLayer(
    _ g: any Graph,
    _ shape: [Int],
    _ branches: [Residual],
    to channels: Int,
    stride: Int,
    forward: [Float]? = nil
  ) -> Node {
    let x = g.materialise(g.deferred(shape, .linear))
    let outputs = g.invertedResiduals(x, branches, to: channels, stride: stride)
    let keepsShape = stride == 1 && channels == shape[3]
    let m = g.unary(g.input("m", [branches.count + 1], .normal), .softmax)
    let skip =
      keepsShape
      ? x
      : g.convolution(
        x,
        "skip",
        to: channels,
        geometry: .init(stride: stride),
        bias: false,
        norm: .relu
      )
    return g.weightedSum(
      outputs.map { ($0, keepsShape) } + [(skip, false)],
      shortcut: keepsShape ? x : nil,
      weights: m,
      forward: forward
    )
  }

  /// Inverted residuals: kernels and strides with loops of their own and without, widths on both
  /// sides of a block, images smaller and larger than a tile, groups, both activations.
  static var residuals: [OperationCase] {
    let geometries: [(kernel: Int, stride: Int, height: Int, width: Int, from: Int, to: Int)] = [
      (3, 1, 8, 8, 8, 8), (5, 1, 6, 7, 12, 12), (3, 2, 7, 8, 16, 24), (5, 2, 9, 5, 8, 20),
      (3, 1, 2, 2, 20, 20), (5, 2, 3, 3, 24, 8), (7, 1, 9, 5, 8, 8), (7, 2, 6, 11, 4, 10),
      (1, 1, 5, 6, 8, 16), (3, 3, 7, 8, 8, 8), (5, 1, 4, 16, 16, 33), (3, 2, 1, 1, 8, 8),
      (5, 1, 3, 40, 6, 6), (3, 2, 17, 9, 10, 14), (5, 3, 8, 7, 8, 8),
    ]
    let single = geometries.enumerated().map { i, s in
      let norm: Norm = [.relu, .hswish, .linear][i % 3]
      let middle = [16, 24, 6, 40][i % 4]
      return OperationCase(
        name: "inverted residual \(s.kernel)×\(s.kernel)/\(s.stride) on "
          + "\(s.height)×\(s.width)×\(s.from), \(middle) wide, \(norm)",
        isSmooth: norm != .relu
      ) { g in
        let x = g.input("x", [3, s.height, s.width, s.from], .normal)
        return g.invertedResiduals(
          x,
          [Residual("block", kernel: s.kernel, middle: middle, norm: norm)],
          to: s.to,
          stride: s.stride
        )[0]
      }
    }
    let space = [
      Residual("a", kernel: 3, middle: 8), Residual("b", kernel: 3, middle: 8, groups: 2),
      Residual("c", kernel: 5, middle: 24, norm: .hswish),
      Residual("d", kernel: 5, middle: 48), Residual("e", kernel: 5, middle: 40, groups: 4),
    ]
    // Widths whose products pass over zeros: rows of C in pairs and one by one, in one panel and in
    // two.
    let widths = [(64, 80), (80, 96), (104, 64), (112, 128), (144, 160), (176, 184), (208, 112)]
    let sparse = widths.enumerated().map { i, width in
      OperationCase(
        name: "inverted residuals from \(width.0) to \(width.1) channels",
        isSmooth: false,
        isExact: false
      ) { g in
        residualLayer(
          g,
          [3, 5, i % 2 == 0 ? 7 : 4, width.0],
          [
            Residual("a", kernel: 3, middle: 24), Residual("b", kernel: 5, middle: 80, groups: 2),
            Residual("c", kernel: 3, middle: 16, norm: i == 2 ? .hswish : .relu),
          ],
          to: width.1,
          stride: i % 2 + 1
        )
      }
    }
    return single + sparse + [
      OperationCase(name: "layer of inverted residuals, stride 1", isSmooth: false) { g in
        residualLayer(g, [3, 8, 8, 8], space, to: 8, stride: 1)
      },
      OperationCase(name: "layer of inverted residuals, stride 2", isSmooth: false) { g in
        residualLayer(g, [2, 7, 10, 16], space, to: 24, stride: 2)
      },
      OperationCase(
        name: "layer of inverted residuals, one chosen",
        isSmooth: false,
        isExact: false
      ) { g in
        residualLayer(
          g,
          [3, 6, 6, 8],
          space,
          to: 8,
          stride: 1,
          forward: [0, 0, 1, 0, 0, 0]
        )
      },
      OperationCase(
        name: "layer of inverted residuals, skip chosen",
        isSmooth: false,
        isExact: false
      ) { g in
        residualLayer(
          g,
          [3, 6, 6, 8],
          space,
          to: 8,
          stride: 1,
          forward: [0, 0, 0, 0, 0, 1]
        )
      },
      OperationCase(name: "wide layer of inverted residuals", isSmooth: false) { g in
        residualLayer(g, [3, 5, 8, 48], space, to: 48, stride: 1)
      },
      OperationCase(
        name: "wide layer of inverted residuals, stride 2, one chosen",
        isSmooth: false,
        isExact: false
      ) { g in
        residualLayer(g, [2, 8, 7, 56], space, to: 64, stride: 2, forward: [0, 0, 1, 0, 0, 0])
      },
      OperationCase(name: "two layers of inverted residuals", isSmooth: false) { g in
        let x = residualLayer(g, [2, 8, 8, 8], Array(space.prefix(3)), to: 8, stride: 1)
        return g.invertedResiduals(x, [Residual("last", kernel: 3, middle: 32)], to: 12, stride: 2)[
          0
        ]
      },
    ]
  }
}
