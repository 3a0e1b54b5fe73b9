import Foundation
import Tensor

/// What is wrong with a network in a file: where, what, and what to do.
package struct NetworkFault: Error, Equatable {
  /// `layers[3].kernel`; empty for the whole.
  package let path: String
  /// One clause.
  package let problem: String
  /// One clause, or nil.
  package let remedy: String?
}

/// Networks as JSON, the format of users' files and of the zoo; `Documentation/network-format.md`
/// describes it.
package enum NetworkFile {
  /// Reads a network for the images that its `resolution`, `channels` and `classes` name.
  ///
  /// Errors: `NetworkFault` naming layer and key.
  package static func parse(_ data: Data) throws -> NetworkDescription {
    let json: Any
    do {
      json = try JSONSerialization.jsonObject(with: data)
    } catch {
      throw NetworkFault(
        path: "",
        problem: "not JSON",
        remedy: "see Documentation/network-format.md"
      )
    }
    return try parse(NetworkObject(json, ""))
  }

  static func parse(_ top: NetworkObject, also keys: Set<String> = []) throws -> NetworkDescription
  {
    try top.allow(
      keys.union([
        "name", "family", "resolution", "channels", "classes", "divisor", "stem", "layers", "head",
      ])
    )
    let side = try top.number("resolution", 1...8192)
    var network = NetworkDescription(
      name: try top.text("name") ?? "network",
      family: try top.text("family") ?? "",
      height: side,
      width: side,
      channels: try top.number("channels", 1...1024, otherwise: 3),
      classes: try top.number("classes", 1...1_000_000, otherwise: 1000)
    )
    let divisor = try top.number("divisor", 1...1024, otherwise: 8)
    if let stem = try top.object("stem") {
      try stem.allow(["width", "stride", "kernel", "padding", "activation"])
      try add(stem, try convolution(stem, kernel: 3), to: &network)
    }
    for layer in try top.objects("layers") { try addLayer(layer, divisor, to: &network) }
    if top.has("head") {
      let width = try top.number("head", 1...65536)
      network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: width)
    }
    if network.blocks.isEmpty { throw top.fault("layers", "there is none") }
    return network
  }

  private static func addLayer(
    _ layer: NetworkObject,
    _ divisor: Int,
    to network: inout NetworkDescription
  ) throws {
    let input = network.end.channels
    let kind: BlockDescription.Kind
    switch try form(of: layer) {
    case .skip:
      try layer.allow(["skip", "width", "stride", "repeat"])
      kind = .skip
    case .convolution:
      try layer.allow([
        "convolution", "kernel", "width", "stride", "padding", "activation", "repeat",
      ])
      kind = try convolution(layer, kernel: nil)
    case .pool:
      try layer.allow(["pool", "middle", "expansion", "width", "activation", "bias"])
      kind = .pool(
        middle: try middle(layer, input, divisor) ?? input,
        bias: try layer.flag("bias"),
        activation: try layer.activation("activation")
      )
    case .bottleneck, .fused:
      kind = try bottleneck(layer, input, divisor)
    }
    try add(layer, kind, to: &network)
    // What follows keeps the shape; its input is this one's output.
    for _ in 1..<(try layer.number("repeat", 1...1000, otherwise: 1)) {
      guard layer.has("expansion") else {
        try add(layer, kind, to: &network, stride: 1)
        continue
      }
      let kind = try bottleneck(layer, network.end.channels, divisor)
      try add(layer, kind, to: &network, stride: 1)
    }
  }

  private enum Form: String, CaseIterable { case skip, convolution, pool, fused, bottleneck }

  private static func form(of layer: NetworkObject) throws -> Form {
    let named = try Form.allCases.filter { try layer.flag($0.rawValue) }
    guard named.count < 2 else {
      throw layer.fault(named[1].rawValue, "is '\(named[0].rawValue)' already")
    }
    return named.first ?? .bottleneck
  }

  private static func convolution(
    _ layer: NetworkObject,
    kernel: Int?
  ) throws -> BlockDescription.Kind {
    .convolution(
      kernel: try layer.kernel("kernel", otherwise: kernel),
      padding: layer.has("padding") ? try layer.number("padding", 0...64) : nil,
      activation: try layer.activation("activation")
    )
  }

  private static func middle(
    _ layer: NetworkObject,
    _ input: Int,
    _ divisor: Int
  ) throws -> Int? {
    if layer.has("middle") {
      if layer.has("expansion") { throw layer.fault("expansion", "is given beside 'middle'") }
      return try layer.number("middle", 1...65536)
    }
    guard let expansion = try layer.real("expansion", above: 0) else { return nil }
    return divisible(Double(input) * expansion, by: divisor)
  }

  private static func bottleneck(
    _ layer: NetworkObject,
    _ input: Int,
    _ divisor: Int
  ) throws -> BlockDescription.Kind {
    let isFused = try layer.flag("fused")
    var keys: Set<String> = [
      "kernel", "middle", "expansion", "width", "stride", "activation", "squeeze",
      "squeeze_activation", "padding", "zero_gamma", "shortcut", "repeat",
    ]
    keys.formUnion(
      isFused ? ["fused", "project"] : ["bottleneck", "kernels", "groups", "depthwise_groups"]
    )
    try layer.allow(keys)
    let width = try layer.number("width", 1...65536)
    let wide = try middle(layer, input, divisor)
    let projects = try layer.flag("project", otherwise: true)
    let kernels =
      layer.has("kernels")
      ? try layer.kernels("kernels") : [try layer.kernel("kernel", otherwise: nil)]
    let block = BlockDescription.Bottleneck(
      kernels: kernels,
      middle: wide ?? (isFused ? width : input),
      expands: isFused || wide != nil,
      groups: try layer.number("groups", 1...65536, otherwise: 1),
      depthwiseGroups: layer.has("depthwise_groups")
        ? try layer.number("depthwise_groups", 1...65536) : nil,
      squeeze: layer.has("squeeze")
        ? BlockDescription.Bottleneck.Squeeze(
          channels: try layer.number("squeeze", 1...65536),
          inner: try layer.activation("squeeze_activation")
        ) : nil,
      activation: try layer.activation("activation"),
      padding: layer.has("padding") ? try layer.number("padding", 0...64) : nil,
      projects: projects,
      zeroGamma: try layer.flag("zero_gamma"),
      hasShortcut: try layer.flag("shortcut", otherwise: true)
    )
    if !projects && block.middle != width {
      throw layer.fault(
        "project",
        "is false, so 'middle', \(block.middle), must be 'width', \(width)"
      )
    }
    var parts = [("middle", block.middle, block.depthwiseGroups ?? 1, "depthwise_groups")]
    if block.groups > 1 {
      parts += [("input", input), ("middle", block.middle), ("width", width)].map {
        ($0.0, $0.1, block.groups, "groups")
      }
    }
    for (name, channels, groups, key) in parts where channels % groups != 0 {
      throw layer.fault(key, "\(groups) does not divide \(name), \(channels)")
    }
    return isFused ? .fused(block) : .bottleneck(block)
  }

  private static func add(
    _ layer: NetworkObject,
    _ kind: BlockDescription.Kind,
    to network: inout NetworkDescription,
    stride: Int? = nil
  ) throws {
    let before = network.end
    if case .pool = network.blocks.last?.kind {
      throw layer.fault("", "comes after the layer that takes the mean over all pixels")
    }
    network.add(
      kind,
      output: try layer.number("width", 1...65536),
      stride: try stride ?? layer.number("stride", 1...8, otherwise: 1)
    )
    if network.end.height < 1 {
      throw layer.fault(
        "kernel",
        "does not fit on a map of \(before.height)x\(before.width)",
        remedy: "raise 'resolution' or 'padding', or use a smaller kernel"
      )
    }
  }
}

/// An object of the JSON with its path, whose keys are read with checks.
struct NetworkObject {
  private let values: [String: Any]
  private let path: String

  init(_ json: Any, _ path: String) throws {
    guard let values = json as? [String: Any] else {
      throw NetworkFault(path: path, problem: "not an object", remedy: nil)
    }
    self.values = values
    self.path = path
  }

  func fault(_ key: String, _ problem: String, remedy: String? = nil) -> NetworkFault {
    let place = [path, key].filter { !$0.isEmpty }.joined(separator: ".")
    return NetworkFault(path: place, problem: problem, remedy: remedy)
  }

  func allow(_ keys: Set<String>) throws {
    for key in values.keys.sorted() where !keys.contains(key) {
      throw fault(
        key,
        "unknown key",
        remedy: "there are \(keys.sorted().joined(separator: ", "))"
      )
    }
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  func number(_ key: String, _ range: ClosedRange<Int>, otherwise: Int? = nil) throws -> Int {
    guard let value = values[key] else {
      if let otherwise { return otherwise }
      throw fault(key, "missing")
    }
    guard let number = value as? Int, range.contains(number) else {
      throw fault(
        key,
        "'\(value)' is not a number that it can be",
        remedy: "give \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  func real(_ key: String, above bound: Double) throws -> Double? {
    guard let value = values[key] else { return nil }
    guard let number = value as? Double, number > bound, number <= 1000 else {
      throw fault(
        key,
        "'\(value)' is not a number that it can be",
        remedy: "give more than \(bound)"
      )
    }
    return number
  }

  func text(_ key: String) throws -> String? {
    guard let value = values[key] else { return nil }
    guard let text = value as? String else { throw fault(key, "'\(value)' is no text") }
    return text
  }

  func flag(_ key: String, otherwise: Bool = false) throws -> Bool {
    guard let value = values[key] else { return otherwise }
    guard let flag = value as? Bool else {
      throw fault(key, "'\(value)' is neither true nor false")
    }
    return flag
  }

  func kernel(_ key: String, otherwise: Int?) throws -> Int {
    try odd(try number(key, 1...31, otherwise: otherwise), key)
  }

  func kernels(_ key: String) throws -> [Int] {
    guard let list = values[key] as? [Int], let first = list.first, list.count <= 8 else {
      throw fault(key, "not a list of one to eight numbers")
    }
    if !(1...31).contains(first) { throw fault(key, "\(first) is not a number that it can be") }
    return try list.map { try odd($0, key) }
  }

  private func odd(_ kernel: Int, _ key: String) throws -> Int {
    guard kernel > 0 && kernel % 2 == 1 else { throw fault(key, "\(kernel) is not odd") }
    return kernel
  }

  func activation(_ key: String) throws -> Activation {
    switch try text(key) ?? "relu" {
    case "relu": return .relu
    case "hswish": return .hswish
    case let name: throw fault(key, "'\(name)' is unknown", remedy: "give relu or hswish")
    }
  }

  func object(_ key: String) throws -> NetworkObject? {
    try values[key].map { try NetworkObject($0, key) }
  }

  func objects(_ key: String) throws -> [NetworkObject] {
    guard let list = values[key] as? [Any] else { throw fault(key, "not a list") }
    return try list.enumerated().map { try NetworkObject($1, "\(key)[\($0)]") }
  }
}
