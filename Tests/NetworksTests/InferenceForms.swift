import Networks
import Tensor

extension NetworkDescription {
  /// A network of these blocks alone, on maps of odd and even sizes.
  fileprivate static func bare(
    _ blocks: [(kind: BlockDescription.Kind, output: Int, stride: Int)],
    height: Int = 13,
    width: Int = 10,
    channels: Int = 3
  ) -> NetworkDescription {
    var network = NetworkDescription(
      name: "test",
      height: height,
      width: width,
      channels: channels,
      classes: 7
    )
    for block in blocks { network.add(block.kind, output: block.output, stride: block.stride) }
    return network
  }

  /// What published networks have beside plain inverted residuals: gates, borders, several and
  /// grouped k×k convolutions, fused blocks, tails; and networks that begin or end in any of them.
  static var inferenceForms: [NetworkDescription] {
    typealias Middle = BlockDescription.Bottleneck
    func stem(_ kernel: Int = 3, _ padding: Int? = nil) -> BlockDescription.Kind {
      .convolution(kernel: kernel, padding: padding, activation: .hswish)
    }
    let gate = Middle.Squeeze(channels: 9, inner: .hswish)
    let narrow = Middle.Squeeze(channels: 20, inner: .relu)
    let gated: [(BlockDescription.Kind, Int, Int)] = [
      (stem(), 12, 1),
      (.bottleneck(.init(kernels: [3], middle: 40, squeeze: gate, activation: .hswish)), 12, 1),
      (.bottleneck(.init(kernels: [5], middle: 72, squeeze: narrow, activation: .relu)), 20, 2),
      (
        .bottleneck(
          .init(kernels: [3], middle: 20, expands: false, squeeze: gate, activation: .relu)
        ), 20, 1
      ),
      (
        .bottleneck(
          .init(kernels: [3], middle: 20, expands: false, groups: 2, activation: .hswish)
        ), 20, 1
      ),
      (
        .bottleneck(
          .init(
            kernels: [5],
            middle: 20,
            expands: false,
            groups: 4,
            squeeze: gate,
            activation: .relu
          )
        ), 24, 2
      ),
      (.pool(middle: 50, bias: true, activation: .hswish), 33, 1),
    ]
    let bordered: [(BlockDescription.Kind, Int, Int)] = [
      (stem(5, 1), 11, 2),
      (.bottleneck(.init(kernels: [5], middle: 33, activation: .hswish, padding: 1)), 14, 1),
      (.bottleneck(.init(kernels: [3], middle: 28, activation: .relu, padding: 2)), 14, 2),
      (
        .bottleneck(
          .init(kernels: [5], middle: 30, squeeze: gate, activation: .hswish, padding: 4)
        ), 18, 1
      ),
      (.convolution(kernel: 1, padding: 1, activation: .relu), 10, 2),
      (.convolution(kernel: 3, padding: 0, activation: .hswish), 21, 1),
      (.pool(middle: 17, bias: false, activation: .relu), 40, 1),
    ]
    let grouped: [(BlockDescription.Kind, Int, Int)] = [
      (stem(), 16, 1),
      (.bottleneck(.init(kernels: [3, 5], middle: 36, activation: .relu)), 16, 1),
      (
        .bottleneck(.init(kernels: [5, 3, 3], middle: 36, squeeze: gate, activation: .hswish)),
        20, 2
      ),
      (
        .bottleneck(.init(kernels: [3], middle: 40, depthwiseGroups: 2, activation: .hswish)), 20, 1
      ),
      (
        .bottleneck(
          .init(kernels: [5], middle: 36, depthwiseGroups: 3, squeeze: gate, activation: .relu)
        ), 20, 1
      ),
      (.bottleneck(.init(kernels: [3], middle: 24, depthwiseGroups: 1, activation: .relu)), 16, 2),
      (.bottleneck(.init(kernels: [3], middle: 24, depthwiseGroups: 24, activation: .relu)), 16, 1),
      (.convolution(kernel: 1, padding: nil, activation: .hswish), 33, 1),
    ]
    let fused: [(BlockDescription.Kind, Int, Int)] = [
      (stem(), 16, 1),
      (.fused(.init(kernels: [3], middle: 40, activation: .hswish)), 16, 1),
      (.fused(.init(kernels: [3], middle: 24, squeeze: gate, activation: .relu)), 20, 2),
      (.fused(.init(kernels: [5], middle: 20, activation: .hswish, projects: false)), 20, 1),
      (
        .fused(
          .init(kernels: [3], middle: 20, squeeze: gate, activation: .hswish, projects: false)
        ), 20, 1
      ),
      (.fused(.init(kernels: [3], middle: 30, activation: .relu, padding: 2)), 14, 1),
    ]
    let large: [(BlockDescription.Kind, Int, Int)] = [
      (stem(), 16, 1),
      (.bottleneck(.init(kernels: [5], middle: 72, squeeze: gate, activation: .hswish)), 16, 1),
      (.bottleneck(.init(kernels: [3], middle: 96, squeeze: gate, activation: .relu)), 24, 2),
      (.bottleneck(.init(kernels: [3, 3], middle: 96, activation: .relu)), 24, 1),
      (.fused(.init(kernels: [3], middle: 40, activation: .relu)), 24, 1),
    ]
    let residual = BlockDescription.Kind.invertedResidual(
      kernel: 3,
      middle: 24,
      groups: 1,
      activation: .hswish
    )
    return [gated, bordered, grouped, fused].map { bare($0) }
      + [
        bare(large, height: 83, width: 75),
        bare([(residual, 3, 1), (residual, 3, 1)]),
        bare([(residual, 8, 2), (.skip, 8, 1)]),
        bare([(.skip, 3, 1)]),
        bare([(stem(1), 12, 1)]),
        bare([(stem(7), 12, 3)], channels: 1),
      ]
  }
}
