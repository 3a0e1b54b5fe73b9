import Tensor
import TestSupport

private let norms = Norm.allCases

/// What published networks and their training recipes need beyond the search.
extension OperationCase {
  /// Channel scaling and squeeze-and-excitation, alone and beside other readers of a deferred
  /// normalisation.
  static var excited: [OperationCase] {
    let widths = [3, 8, 20, 33]
    let scaled = norms.enumerated().map { i, norm in
      OperationCase(name: "\(norm) scaled by a gate", isSmooth: norm != .relu) { g in
        let x = g.deferred([3, 5, 7, widths[i]], norm)
        return g.scaleChannels(x, by: g.input("gate", [3, widths[i]], .normal))
      }
    }
    let excited = norms.enumerated().flatMap { i, norm in
      [Unary.relu, .hswish].map { inner in
        OperationCase(
          name: "squeeze-and-excitation of \(norm), inner \(inner)",
          isSmooth: norm != .relu && "\(inner)" != "relu"
        ) { g in
          let x = g.deferred([3, 5, 4, widths[i]], norm)
          return g.squeezeExcite(x, "excite", through: 5, inner: inner)
        }
      }
    }
    let shared = norms.flatMap { norm in
      [
        OperationCase(name: "\(norm) read by 1×1 and a gate", isSmooth: norm != .relu) { g in
          let x = g.deferred([2, 5, 5, 12], norm)
          let a = g.pointwise(x, "a", to: 12)
          return g.add(a, g.scaleChannels(x, by: g.input("gate", [2, 12], .normal)))
        },
        OperationCase(name: "\(norm) read by a gate and 1×1", isSmooth: norm != .relu) { g in
          let x = g.deferred([2, 5, 5, 12], norm)
          let b = g.scaleChannels(x, by: g.input("gate", [2, 12], .normal))
          return g.add(b, g.pointwise(x, "a", to: 12))
        },
        OperationCase(name: "\(norm) scaled by its own average", isSmooth: norm != .relu) { g in
          let x = g.deferred([2, 5, 5, 12], norm)
          return g.scaleChannels(x, by: g.averagePool(x))
        },
      ]
    }
    return scaled + excited + shared + [
      OperationCase(name: "one gate for two maps, more rows than a block", isSmooth: false) { g in
        let gate = g.input("gate", [2, 24], .normal)
        let x = g.deferred([2, 9, 11, 24], .relu)
        let y = g.scaleChannels(x, by: gate)
        return g.scaleChannels(g.pointwise(y, "after", to: 24, norm: .linear), by: gate)
      },
      OperationCase(name: "inverted residual with squeeze-and-excitation", isSmooth: false) { g in
        let x = g.pointwise(g.input("x", [3, 7, 6, 8], .normal), "expand", to: 24, norm: .hswish)
        let a = g.depthwise(x, "depthwise", kernel: 5, stride: 2, norm: .hswish)
        let b = g.squeezeExcite(a, "excite", through: 8, inner: .relu)
        return g.pointwise(b, "project", to: 12, norm: .linear)
      },
    ]
  }

  /// k×k convolutions in groups, from two slices to one channel a slice.
  static var groupedPatches: [OperationCase] {
    let shapes: [(kernel: Int, stride: Int, from: Int, to: Int, groups: Int, padding: Int)] = [
      (3, 1, 8, 16, 2, 1), (3, 2, 20, 12, 2, 1), (5, 1, 9, 6, 3, 2), (5, 2, 16, 40, 4, 2),
      (3, 1, 6, 6, 6, 1), (1, 2, 8, 24, 2, 0), (3, 1, 34, 34, 2, 0), (3, 2, 4, 8, 4, 1),
    ]
    return shapes.enumerated().map { i, s in
      let (before, after) = (norms[i % 4], norms[(i + i / 4 + 1) % 4])
      return OperationCase(
        name: "\(s.kernel)×\(s.kernel)/\(s.stride) \(s.from)→\(s.to) in \(s.groups) groups, "
          + "\(before) before, \(after) after",
        isSmooth: before != .relu && after != .relu
      ) { g in
        g.convolution(
          g.deferred([2, 7, 6, s.from], before),
          "conv",
          to: s.to,
          geometry: .init(
            kernel: s.kernel,
            stride: s.stride,
            padding: s.padding,
            groups: s.groups
          ),
          bias: after == .off,
          norm: after
        )
      }
    }
  }

  /// Depthwise convolutions with a border other than half the kernel.
  static var borders: [OperationCase] {
    let shapes: [(kernel: Int, padding: Int, height: Int, width: Int, channels: Int)] = [
      (5, 0, 9, 8, 8), (5, 1, 7, 10, 20), (3, 0, 5, 6, 17), (5, 0, 5, 5, 4), (3, 2, 4, 5, 16),
      (7, 1, 8, 9, 24), (5, 4, 3, 2, 8),
    ]
    return shapes.enumerated().flatMap { i, s in
      [1, 2].map { stride in
        let (before, after) = (norms[(i + stride) % 4], norms[(i / 2 + stride) % 4])
        return OperationCase(
          name: "depthwise \(s.kernel)×\(s.kernel)/\(stride) with border \(s.padding) at "
            + "\(s.height)×\(s.width), \(before) before, \(after) after",
          isSmooth: before != .relu && after != .relu
        ) { g in
          g.depthwise(
            g.deferred([3, s.height, s.width, s.channels], before),
            "depthwise",
            kernel: s.kernel,
            stride: stride,
            padding: s.padding,
            norm: after
          )
        }
      }
    }
  }

  /// Small arithmetic of heads and losses.
  static var recipes: [OperationCase] {
    [
      OperationCase(name: "ReLU of a vector", isSmooth: false) { g in
        g.unary(g.input("x", [4, 9], .normal), .relu)
      },
      OperationCase(name: "hswish of a vector") { g in
        g.unary(g.input("x", [4, 9], .normal), .hswish)
      },
      // Spread so that the flat ends and the slope between them are all reached.
      OperationCase(name: "hard sigmoid", isSmooth: false) { g in
        let wide = Unary.affine(factor: 4, constant: 0)
        return g.unary(g.unary(g.input("x", [4, 9], .normal), wide), .hsigmoid)
      },
      OperationCase(name: "hswish of large values", isSmooth: false) { g in
        let wide = Unary.affine(factor: 4, constant: 0)
        return g.unary(g.unary(g.input("x", [4, 9], .normal), wide), .hswish)
      },
      OperationCase(name: "product with constants, and a second reader") { g in
        let x = g.input("x", [3, 4], .normal)
        return g.add(g.multiply(x, constant: (0..<12).map { Float($0 % 3) * 1.25 }), x)
      },
      OperationCase(name: "dropout before a classifier") { g in
        let x = g.averagePool(g.deferred([3, 4, 4, 10], .hswish))
        let kept = g.multiply(x, constant: (0..<30).map { $0 % 5 == 0 ? 0 : 1.25 })
        return g.pointwise(kept, "classifier", to: 7, bias: true)
      },
    ]
      + [(Float(0), Float(0.3)), (0.1, 0.5), (0.2, 1), (0.1, 0)].map { smoothing, share in
        OperationCase(name: "cross-entropy of a mixture, smoothing \(smoothing), share \(share)") {
          g in
          g.crossEntropy(
            g.input("x", [5, 7], .normal),
            labels: [0, 6, 3, 3, 1],
            smoothing: smoothing,
            mixed: ([2, 6, 0, 1, 5], share)
          )
        }
      }
  }
}
