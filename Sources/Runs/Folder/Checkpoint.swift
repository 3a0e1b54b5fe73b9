import Foundation

/// Named Float32 tensors and a table of texts, stored as a safetensors file (spec S120).
///
/// Layout: 8 bytes little-endian length of the header, a JSON header padded with spaces to a
/// multiple of 8, then the tensors one after another.
package struct Checkpoint: Sendable, Equatable {
  /// One tensor.
  package struct Tensor: Sendable, Equatable {
    /// Unique in the file.
    package var name: String
    /// Sides; none for a scalar.
    package var shape: [Int]
    /// Row-major; as many as the shape says.
    package var values: [Float]

    package init(name: String, shape: [Int], values: [Float]) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// Free texts: counters, settings, random state.
  package var metadata: [String: String]
  /// In their order in the file; names are unique.
  package var tensors: [Tensor]

  package init(metadata: [String: String] = [:], tensors: [Tensor] = []) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The tensor of that name.
  package subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }

  /// Writes the file whole or not at all.
  package func write(to path: String) throws {
    precondition(1.littleEndian == 1, "checkpoints are written on little-endian machines only")
    var header: [String: Entry] = ["__metadata__": .metadata(metadata)]
    var offset = 0
    for tensor in tensors {
      precondition(
        tensor.shape.reduce(1, *) == tensor.values.count,
        "\(tensor.name): shape \(tensor.shape) with \(Format.counted(tensor.values.count, "value"))"
      )
      let end = offset + tensor.values.count * 4
      let old = header.updateValue(
        .tensor(.init(dtype: "F32", shape: tensor.shape, data_offsets: [offset, end])),
        forKey: tensor.name
      )
      precondition(old == nil, "\(tensor.name): two tensors of one name")
      offset = end
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(header)
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    try writeWhole(to: path) { write in
      try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try write($0) }
      try json.withUnsafeBytes { try write($0) }
      for tensor in tensors { try tensor.values.withUnsafeBytes { try write($0) } }
    }
  }

  /// Reads a file and checks every length in it.
  ///
  /// `accepts` gets the texts before any array is looked at, and throws where the file is not what
  /// was wanted. Arrays may be of `types`, and become Float32. Errors: `.noInput` when it cannot be
  /// opened, `.data` with what is wrong otherwise.
  package static func read(
    from path: String,
    types: [ElementType] = [.float32],
    accepts: ([String: String]) throws -> Void = { _ in }
  ) throws -> Checkpoint {
    let data = try readBytes(path)
    func broken(_ problem: String) -> UserError {
      UserError(.data, path, problem, remedy: "restore it from a copy, or use another checkpoint")
    }
    guard data.count >= 8 else { throw broken("truncated, \(Format.counted(data.count, "byte"))") }
    let length = data.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= 100_000_000 else { throw broken("not a safetensors file") }
    let start = 8 + Int(length)
    guard data.count >= start else { throw broken("truncated inside its header") }
    guard data[8...].first == UInt8(ascii: "{"),
      let header = try? JSONDecoder().decode([String: Entry].self, from: data[8..<start])
    else { throw broken("not a safetensors file, its header cannot be understood") }

    var result = Checkpoint()
    var entries: [(name: String, entry: Entry.Tensor)] = []
    for (name, entry) in header {
      switch entry {
      case .metadata(let texts):
        guard name == "__metadata__" else { throw broken("\(name) has no type, shape and place") }
        result.metadata = texts
      case .tensor(let tensor): entries.append((name, tensor))
      }
    }
    try accepts(result.metadata)
    // An empty tensor begins where the next one does, so the end decides as well.
    entries.sort { $0.entry.data_offsets.lexicographicallyPrecedes($1.entry.data_offsets) }
    var offset = 0
    for (name, entry) in entries {
      guard let type = ElementType(rawValue: entry.dtype), types.contains(type) else {
        let known = types.map(\.rawValue).joined(separator: ", ")
        throw broken("\(name) is \(entry.dtype), not \(known)")
      }
      guard let bytes = byteCount(of: entry.shape, type) else {
        throw broken("\(name) has the impossible shape \(entry.shape)")
      }
      guard entry.data_offsets.count == 2, entry.data_offsets[0] == offset,
        entry.data_offsets[1] - offset == bytes
      else { throw broken("\(name) lies at \(entry.data_offsets), not \(offset)+\(bytes)") }
      guard bytes <= data.count - start - offset else { throw broken("truncated inside \(name)") }
      let values = data[start + offset..<start + offset + bytes].withUnsafeBytes(type.floats)
      result.tensors.append(Tensor(name: name, shape: entry.shape, values: values))
      offset += bytes
    }
    guard data.count == start + offset else {
      throw broken(Format.counted(data.count - start - offset, "byte") + " too many at its end")
    }
    return result
  }

  /// The first array that holds an infinite value or NaN; nil where there is none.
  package var firstNotFinite: Tensor? { tensors.first { !$0.values.allSatisfy(\.isFinite) } }

  /// Bytes of a tensor; nil for negative sides or more than memory can hold.
  private static func byteCount(of shape: [Int], _ type: ElementType) -> Int? {
    var count = type.size
    for side in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: side)
      guard side >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  /// A value of the JSON header.
  private enum Entry: Codable {
    struct Tensor: Codable {
      var dtype: String
      var shape: [Int]
      var data_offsets: [Int]
    }

    case metadata([String: String])
    case tensor(Tensor)

    init(from decoder: any Decoder) throws {
      if let tensor = try? Tensor(from: decoder) {
        self = .tensor(tensor)
      } else {
        self = .metadata(try [String: String](from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .metadata(let texts): try texts.encode(to: encoder)
      case .tensor(let tensor): try tensor.encode(to: encoder)
      }
    }
  }
}
