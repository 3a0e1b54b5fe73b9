import Foundation
import Runs

/// The weights in a file of another program, under its names.
package struct WeightFile {
  /// An array of the file; its values are read when they are asked for.
  package struct Array {
    /// Unique in the file, without what stands before all names.
    package var name: String
    /// Sides, outermost first.
    package var shape: [Int]
    /// Reads the elements, row by row; throws `.data` for damage.
    package var values: () throws -> [Float]
  }

  /// Where it lies.
  package let path: String
  /// In order of their names.
  package private(set) var arrays: [Array]
  /// The key of a checkpoint under which the weights were found; nil for a file of weights alone.
  package private(set) var state: String?
  /// Keys of a checkpoint beside it, and values that are no arrays.
  package private(set) var others: [String] = []

  /// The keys under which programs keep weights, the better ones first: moving averages are what
  /// was evaluated.
  private static let states = [
    "model_ema", "state_dict_ema", "ema_state_dict", "state_dict", "model_state_dict", "model",
  ]

  /// What training in parallel or by stages puts before every name.
  private static let prefixes = ["module.", "model.", "_orig_mod."]

  /// Reads a safetensors file, or one of `torch.save`.
  ///
  /// Errors: `.noInput` for a file that cannot be read; `.data` for damage and other formats, and
  /// for a pickle that needs more than arrays.
  package init(_ path: String) throws {
    self.path = path
    let bytes = try mapBytes(path)
    // A safetensors file begins with the length of its header, which may look like either at first.
    if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
      arrays = []
      try readArchive()
    } else if bytes.starts(with: [0x80, 2, 0x8A, 10]) {
      throw UserError(
        .data,
        path,
        "is in the format of PyTorch before 1.6",
        remedy: "load it there and save it again with torch.save, or as safetensors"
      )
    } else {
      let file = try Checkpoint.read(from: path, types: ElementType.allCases) { texts in
        guard texts["network"] == nil else {
          throw UserError(
            .data,
            path,
            "is a network of supertop",
            remedy: "give it to 'supertop train' or 'supertop export' as it is"
          )
        }
      }
      arrays = file.tensors.map { array in
        Array(name: array.name, shape: array.shape) { array.values }
      }
    }
    while let prefix = Self.prefixes.first(where: { prefix in
      !arrays.isEmpty && arrays.allSatisfy { $0.name.hasPrefix(prefix) }
    }) {
      for index in arrays.indices { arrays[index].name.removeFirst(prefix.count) }
    }
    arrays.sort { $0.name < $1.name }
  }

  /// Pickles' most: a checkpoint of a thousand arrays takes a fifth of a megabyte.
  private static let largestPickle = 1 << 23

  private mutating func readArchive() throws {
    let archive = try ZipArchive(try readBytes(path), path: path)
    guard
      let pickle = archive.names.filter({ $0.hasSuffix("/data.pkl") })
        .min(by: { $0.count < $1.count })
    else { throw foreign("is a zip file, but none of torch.save") }
    let root = pickle.dropLast("data.pkl".count)
    guard !archive.names.contains(root + "constants.pkl") else {
      throw foreign("is a TorchScript program")
    }
    if archive.names.contains(root + "byteorder"),
      try archive.content(of: root + "byteorder", most: 16) != Data("little".utf8)
    {
      throw foreign("was written on a big-endian machine")
    }
    let content = try Pickle(
      try archive.content(of: pickle, most: Self.largestPickle),
      path: path
    )
    for (name, value) in try weights(content) {
      guard case .array(let array) = value else {
        others.append(name)
        continue
      }
      arrays.append(
        Array(name: name, shape: array.shape) {
          try array.values(in: archive, root: String(root), name: name)
        }
      )
    }
  }

  /// The arrays by name, of the whole pickle or of the best part of a checkpoint.
  private mutating func weights(_ pickle: Pickle) throws -> [String: Pickle.Value] {
    guard let top = pickle.dictionary(pickle.result) else {
      throw foreign("holds no dictionary of arrays")
    }
    var entries = Dictionary(top.map { ($0.key, $0.value) }) { $1 }
    func holdsArrays(_ entries: [String: Pickle.Value]) -> Bool {
      entries.values.contains { if case .array = $0 { true } else { false } }
    }
    guard !holdsArrays(entries) else { return entries }
    for key in Self.states {
      guard let part = entries[key].flatMap(pickle.dictionary) else { continue }
      let weights = Dictionary(part.map { ($0.key, $0.value) }) { $1 }
      guard holdsArrays(weights) else { continue }
      state = key
      entries[key] = nil
      others = entries.keys.sorted()
      return weights
    }
    throw foreign("holds no dictionary of arrays under any of \(Self.states.listed(atMost: 9))")
  }

  private func foreign(_ problem: String) -> UserError {
    UserError(
      .data,
      path,
      problem,
      remedy: "save the weights alone: torch.save(model.state_dict(), FILE), or as safetensors"
    )
  }
}

extension Pickle.Array {
  /// The elements, row by row, once every number of the view is checked.
  fileprivate func values(in archive: ZipArchive, root: String, name: String) throws -> [Float] {
    let bytes = try archive.content(of: root + "data/" + storage.key)
    let limit = bytes.count / storage.type.size
    func damaged() -> UserError { archive.fault("array \(name) lies outside its storage") }
    guard shape.count == strides.count, (0...limit).contains(offset),
      (shape + strides).allSatisfy({ $0 >= 0 })
    else { throw damaged() }
    if shape.contains(0) { return [] }
    var (count, last) = (1, offset)
    for (side, stride) in zip(shape, strides) {
      let product = count.multipliedReportingOverflow(by: side)
      let step = (side - 1).multipliedReportingOverflow(by: stride)
      // No sum of steps that the storage has room for can overflow.
      guard !product.overflow, product.partialValue <= limit,
        !step.overflow, step.partialValue <= limit
      else { throw damaged() }
      count = product.partialValue
      last += step.partialValue
    }
    guard last < limit else { throw damaged() }
    let size = storage.type.size
    guard let part = bytes.part(at: offset * size, count: (last + 1 - offset) * size) else {
      throw damaged()
    }
    let elements = part.withUnsafeBytes(storage.type.floats)
    var packed: [Int] = []
    for side in shape.reversed() { packed.append((packed.last ?? 1) * side) }
    guard elements.count != count || [1] + packed.dropLast() != strides.reversed() else {
      return elements
    }
    var indices = [0]
    for (side, stride) in zip(shape, strides) {
      indices = indices.flatMap { start in (0..<side).map { start + $0 * stride } }
    }
    return indices.map { elements[$0] }
  }
}
