import Networks
import Tensor

extension Naming {
  /// Why a network of the zoo cannot have weights of this program; nil where it can.
  func obstacle(_ entry: Zoo.Entry) -> String? {
    switch self {
    case .timm:
      if entry.network.name == "mobilenet_v2" {
        return "timm's mobilenetv2_100 has ReLU6, which supertop has not"
      }
      return Naming.inTimm.contains(entry.network.name) ? nil : "timm has no such network"
    case .mobileVision:
      // All of these were published for Caffe2, or by others.
      return entry.rule == .madds ? "mobile-vision has no PyTorch weights of it" : nil
    }
  }

  /// The networks of the zoo that timm has, as `fbnetc_100`, `fbnetv3_b`, `fbnetv3_d`, `fbnetv3_g`
  /// and `mobilenetv3_large_100`.
  private static let inTimm: Set = [
    "fbnet_c", "FBNetV3_B", "FBNetV3_D", "FBNetV3_G", "mobilenet_v3_large",
  ]

  /// The network as this program builds it, with `classes`; `hasPoolBias` says whether the last 1×1
  /// convolution of a pooling tail has a bias.
  func form(
    of network: NetworkDescription,
    hasPoolBias: Bool,
    classes: Int
  ) -> NetworkDescription {
    var form = NetworkDescription(
      name: network.name,
      family: network.family,
      height: network.height,
      width: network.width,
      channels: network.channels,
      classes: classes
    )
    for block in network.blocks {
      var kind = block.kind
      switch kind {
      case .bottleneck(let middle) where self == .timm:
        kind = .bottleneck(timmForm(of: middle, in: network.name))
      case .pool(let middle, _, let activation):
        kind = .pool(middle: middle, bias: hasPoolBias, activation: activation)
      default: break
      }
      form.add(kind, output: block.output, stride: block.stride, name: block.name)
    }
    return form
  }

  /// timm pads every convolution by half its side, keeps the first 1×1 convolution of FBNet-C where
  /// it does not widen, and squeezes MobileNetV3 to a multiple of 8 channels with ReLU.
  private func timmForm(
    of middle: BlockDescription.Bottleneck,
    in network: String
  ) -> BlockDescription.Bottleneck {
    var middle = middle
    middle.padding = nil
    if network == "fbnet_c" { middle.expands = true }
    if network == "mobilenet_v3_large", middle.squeeze != nil {
      middle.squeeze = .init(channels: divisible(Double(middle.middle) / 4, by: 8), inner: .relu)
    }
    return middle
  }

  /// What batch-norm adds to the variance in the published weights.
  func epsilon(of network: String) -> Double {
    // timm sets TensorFlow's for these weights alone.
    self == .timm && network == "fbnet_c" ? 1e-3 : 1e-5
  }
}
