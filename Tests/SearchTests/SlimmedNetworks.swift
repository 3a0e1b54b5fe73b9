import Networks
import Tensor

/// Small networks of every form that a space of widths can be made of.
enum SlimmedNetworks {
  /// What a form has besides plain inverted residuals.
  static let forms = [
    "plain", "hswish", "pool", "pool with bias", "squeeze", "squeeze of relu", "border",
    "two depthwise", "steps", "wide stem", "skip", "convolution",
  ]

  private static func block(
    _ kernels: [Int],
    _ middle: Int,
    expands: Bool = true,
    squeeze: BlockDescription.Bottleneck.Squeeze? = nil,
    activation: Activation = .relu,
    padding: Int? = nil,
    zeroGamma: Bool = false,
    hasShortcut: Bool = true
  ) -> BlockDescription.Kind {
    .bottleneck(
      .init(
        kernels: kernels,
        middle: middle,
        expands: expands,
        squeeze: squeeze,
        activation: activation,
        padding: padding,
        zeroGamma: zeroGamma,
        hasShortcut: hasShortcut
      )
    )
  }

  /// A stem, blocks with and without shortcuts and steps, and what comes last.
  static func network(_ form: String, side: Int = 16) -> NetworkDescription {
    var it = NetworkDescription(name: form, height: side, width: side, channels: 3, classes: 10)
    let after: Activation = ["plain", "border"].contains(form) ? .relu : .hswish
    it.add(
      .convolution(kernel: form == "wide stem" ? 5 : 3, padding: nil, activation: after),
      output: form == "wide stem" ? 18 : 16,
      stride: form == "steps" ? 3 : 1
    )
    let squeeze: BlockDescription.Bottleneck.Squeeze? =
      switch form {
      case "squeeze": .init(channels: 6, inner: .hswish)
      case "squeeze of relu": .init(channels: 18, inner: .relu)
      default: nil
      }
    it.add(block([3], it.end.channels, expands: false, activation: after), output: 16)
    let isBordered = form == "border"
    it.add(
      block([5], 64, activation: after, padding: isBordered ? 1 : nil, zeroGamma: true),
      output: 24,
      stride: form == "steps" ? 4 : 2
    )
    it.add(.skip, output: 24)
    it.add(
      block(form == "two depthwise" ? [3, 5] : [3], 72, squeeze: squeeze, activation: after),
      output: 24
    )
    if form == "skip" { it.add(.skip, output: 24, stride: 2) }
    if form == "convolution" {
      it.add(.convolution(kernel: 3, padding: 2, activation: .hswish), output: 20)
    }
    // As wide as its input, and without a shortcut all the same.
    it.add(block([3], 48, padding: isBordered ? 1 : nil, hasShortcut: false), output: 24)
    it.add(
      block([3], 50, squeeze: squeeze, activation: after, padding: isBordered ? 0 : nil),
      output: 32
    )
    it.add(
      form.hasPrefix("pool")
        ? .pool(middle: 72, bias: form == "pool with bias", activation: .hswish)
        : .convolution(kernel: 1, padding: nil, activation: after),
      output: 64
    )
    return it
  }
}
