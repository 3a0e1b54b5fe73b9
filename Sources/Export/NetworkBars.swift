import Networks
import Tensor

/// A network's blocks as what a picture shows of them.
struct NetworkBars: Equatable {
  /// One block.
  struct Bar: Equatable {
    /// How it is filled: `nil` for a skip, else the side of its largest kernel.
    var kernel: Int?
    /// Sides of its kernels, `5` or `3+3`; empty for a skip.
    var label: String
    /// Channels in the middle for one at the input; 1 where there is no expansion, 0 for a skip.
    var expansion: Double
    /// Squeeze-and-excite behind the k×k convolution.
    var hasSqueeze: Bool
    /// Whether hswish follows instead of ReLU.
    var isHswish: Bool
    /// What else is unusual: `g2` for groups, `F` for a fused block.
    var note: String
    /// Whether the input is added to the output, or passed on.
    var isResidual: Bool
    /// Channels out.
    var width: Int
    /// Side of the map that comes out.
    var side: Int
    /// Whether it is a plain convolution or the pooling tail.
    var isPlain: Bool
  }

  var bars: [Bar]

  init(_ network: NetworkDescription) {
    bars = network.blocks.map(Bar.init)
  }
}

extension NetworkBars.Bar {
  init(_ block: BlockDescription) {
    kernel = 1
    label = "1"
    expansion = 1
    hasSqueeze = false
    isHswish = false
    note = ""
    isResidual = block.isResidual
    width = block.output
    side = block.outputSize(block.height)
    isPlain = true
    switch block.kind {
    case .skip:
      isPlain = false
      guard block.keepsShape else { return }
      kernel = nil
      label = ""
      expansion = 0
      isResidual = true
    case .convolution(let side, _, let activation):
      kernel = side
      label = "\(side)"
      isHswish = activation == .hswish
    case .pool(let middle, _, let activation):
      expansion = Double(middle) / Double(block.input)
      isHswish = activation == .hswish
    case .bottleneck(let middle), .fused(let middle):
      isPlain = false
      kernel = middle.kernels.max()
      label = middle.kernels.map { "\($0)" }.joined(separator: "+")
      expansion = Double(middle.middle) / Double(block.input)
      hasSqueeze = middle.squeeze != nil
      isHswish = middle.activation == .hswish
      if middle.groups > 1 { note = "g\(middle.groups)" }
      if case .fused = block.kind { note = "F" }
    }
  }
}
