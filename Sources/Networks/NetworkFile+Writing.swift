import Foundation
import Tensor

extension NetworkFile {
  /// The network as JSON that `parse` reads back, a layer a line; its images must be square.
  package static func json(_ network: NetworkDescription) -> String {
    let layers = network.blocks.map { "    {\(members($0))}" }.joined(separator: ",\n")
    return """
      {
        "name": \(quoted(network.name)),
        "family": \(quoted(network.family)),
        "resolution": \(network.height),
        "channels": \(network.channels),
        "classes": \(network.classes),
        "layers": [
      \(layers)
        ]
      }

      """
  }

  private static func members(_ block: BlockDescription) -> String {
    var members: [String] = []
    func add(_ key: String, _ value: Any?) {
      if let value { members.append("\"\(key)\": \(value)") }
    }
    func addActivation(_ key: String, _ activation: Activation) {
      if activation == .hswish { add(key, "\"hswish\"") }
    }
    switch block.kind {
    case .skip: add("skip", true)
    case .convolution(let kernel, let padding, let activation):
      add("convolution", true)
      add("kernel", kernel)
      add("padding", padding)
      addActivation("activation", activation)
    case .pool(let middle, let bias, let activation):
      add("pool", true)
      add("middle", middle)
      if bias { add("bias", true) }
      addActivation("activation", activation)
    case .bottleneck(let middle), .fused(let middle):
      if case .fused = block.kind { add("fused", true) }
      if middle.kernels.count > 1 {
        add("kernels", middle.kernels)
      } else {
        add("kernel", middle.kernels[0])
      }
      if middle.expands { add("middle", middle.middle) }
      if middle.groups > 1 { add("groups", middle.groups) }
      add("depthwise_groups", middle.depthwiseGroups)
      add("squeeze", middle.squeeze?.channels)
      if let squeeze = middle.squeeze { addActivation("squeeze_activation", squeeze.inner) }
      addActivation("activation", middle.activation)
      add("padding", middle.padding)
      if !middle.projects { add("project", false) }
      if middle.zeroGamma { add("zero_gamma", true) }
      if !middle.hasShortcut { add("shortcut", false) }
    }
    add("width", block.output)
    if block.stride > 1 { add("stride", block.stride) }
    return members.joined(separator: ", ")
  }

  private static func quoted(_ text: String) -> String {
    let data = try? JSONEncoder().encode(text)
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
