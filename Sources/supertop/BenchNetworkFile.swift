import Foundation
import Networks
import Runs
import Tensor

/// A network in a JSON file, as `supertop bench inference --network` reads it.
///
///     {"name": "small", "resolution": 32, "channels": 3, "classes": 10,
///      "stem": {"width": 16, "stride": 1},
///      "layers": [
///        {"kernel": 3, "width": 16},
///        {"kernel": 5, "middle": 96, "width": 24, "stride": 2, "groups": 2, "activation": "hswish"},
///        {"skip": true, "width": 24}],
///      "head": 128}
///
/// A layer is an inverted residual with `middle` expanded channels, or without expansion where `middle`
/// is missing; `stride` and `groups` are 1 and `activation` is `relu` unless given. A skip passes its
/// input on; where width or stride change it is a 1×1 convolution.
struct BenchNetworkFile {
  private let place: String

  /// Networks that are built in, by name.
  private static let known = ["fbnet_c": Data(PackageResources.fbnet_c_json)]

  /// Reads the network `name`, or the one in the file of that name, for square images.
  ///
  /// - Parameters:
  ///   - name: of a built-in network or of a file.
  ///   - size: side of the images, pixels; nil takes the network's own.
  /// - Returns: the description, not built yet.
  /// - Throws: `UserError` naming file, layer and key.
  static func read(_ name: String, size: Int?) throws -> NetworkDescription {
    let file = BenchNetworkFile(place: name)
    if let data = known[name] { return try file.parse(data, size: size) }
    guard let data = FileManager.default.contents(atPath: name) else {
      throw UserError(
        .noInput,
        name,
        "no such network or file",
        remedy: "give \(known.keys.sorted().joined(separator: ", ")) or a JSON file"
      )
    }
    return try file.parse(data, size: size)
  }

  private func parse(_ data: Data, size: Int?) throws -> NetworkDescription {
    let json: Any
    do {
      json = try JSONSerialization.jsonObject(with: data)
    } catch {
      throw fault("", "not JSON", remedy: "see the format in Benchmarks/README.md")
    }
    let top = try object(json, "")
    try allow(["name", "resolution", "channels", "classes", "stem", "layers", "head"], top, "")
    let stem = try object(top["stem"] as Any, "stem")
    try allow(["width", "stride"], stem, "stem")
    let resolution = try number(top, "resolution", "", 1...8192)
    let side = size ?? resolution
    var network = NetworkDescription(
      name: top["name"] as? String ?? place,
      height: side,
      width: side,
      channels: try number(top, "channels", "", 1...1024),
      stemWidth: try number(stem, "width", "stem", 1...65536),
      stemStride: try number(stem, "stride", "stem", 1...8, otherwise: 1),
      head: try number(top, "head", "", 1...65536),
      classes: try number(top, "classes", "", 1...1_000_000)
    )
    guard let layers = top["layers"] as? [Any] else { throw fault("layers", "not a list") }
    for (index, layer) in layers.enumerated() {
      try add(layer, "layers[\(index)]", to: &network)
    }
    return network
  }

  private func add(_ json: Any, _ path: String, to network: inout NetworkDescription) throws {
    let layer = try object(json, path)
    try allow(
      ["skip", "kernel", "middle", "width", "stride", "groups", "activation"],
      layer,
      path
    )
    let width = try number(layer, "width", path, 1...65536)
    let stride = try number(layer, "stride", path, 1...8, otherwise: 1)
    if let skip = layer["skip"] {
      guard skip as? Bool == true else { throw fault(path + ".skip", "not true") }
      return network.add(.skip, output: width, stride: stride)
    }
    let kernel = try number(layer, "kernel", path, 1...31)
    guard kernel % 2 == 1 else { throw fault(path + ".kernel", "\(kernel) is not odd") }
    let name = layer["activation"] ?? "relu"
    let activation: Activation
    switch name as? String {
    case "relu": activation = .relu
    case "hswish": activation = .hswish
    default:
      throw fault(path + ".activation", "'\(name)' is unknown", remedy: "give relu or hswish")
    }
    let groups = try number(layer, "groups", path, 1...65536, otherwise: 1)
    guard layer["middle"] != nil else {
      guard groups == 1 else { throw fault(path + ".groups", "\(groups) without an expansion") }
      return network.add(
        .depthwiseSeparable(kernel: kernel, activation: activation),
        output: width,
        stride: stride
      )
    }
    let middle = try number(layer, "middle", path, 1...65536)
    let input = network.end.channels
    for (key, channels) in [("input", input), ("middle", middle), ("width", width)]
    where channels % groups != 0 {
      throw fault(path + ".groups", "\(groups) does not divide \(key), \(channels)")
    }
    network.add(
      .invertedResidual(
        kernel: kernel,
        middle: middle,
        groups: groups,
        activation: activation
      ),
      output: width,
      stride: stride
    )
  }

  private func object(_ json: Any, _ path: String) throws -> [String: Any] {
    guard let object = json as? [String: Any] else { throw fault(path, "not an object") }
    return object
  }

  private func allow(_ keys: Set<String>, _ object: [String: Any], _ path: String) throws {
    for key in object.keys.sorted() where !keys.contains(key) {
      throw fault(
        join(path, key),
        "unknown key",
        remedy: "there are \(keys.sorted().joined(separator: ", "))"
      )
    }
  }

  private func number(
    _ object: [String: Any],
    _ key: String,
    _ path: String,
    _ range: ClosedRange<Int>,
    otherwise: Int? = nil
  ) throws -> Int {
    guard let value = object[key] else {
      if let otherwise { return otherwise }
      throw fault(join(path, key), "missing")
    }
    guard let number = value as? Int, range.contains(number) else {
      throw fault(
        join(path, key),
        "'\(value)' is no number that it can be",
        remedy: "give \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  private func join(_ path: String, _ key: String) -> String {
    path.isEmpty ? key : path + "." + key
  }

  private func fault(_ path: String, _ problem: String, remedy: String? = nil) -> UserError {
    UserError(
      .data,
      path.isEmpty ? place : place + ": " + path,
      problem,
      remedy: remedy ?? "see the format in Benchmarks/README.md"
    )
  }
}
