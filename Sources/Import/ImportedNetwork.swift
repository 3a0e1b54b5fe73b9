import Networks
import Runs
import Tensor

/// A network of the zoo with the weights of another program.
package struct ImportedNetwork {
  /// The network; its layers are those that the other program computes.
  package let network: Network
  /// Whose names the arrays have.
  package let naming: Naming
  /// What its batch-norms add to the variance.
  package let epsilon: Double
  /// Arrays of the file that the network took up.
  package let taken: Int
  /// Arrays and keys of the file that it has no use for, with the reasons.
  package let ignored: [Ignored]

  /// Arrays or keys of a file that are left out for one reason.
  package struct Ignored: Encodable, Sendable {
    /// One clause.
    package var reason: String
    /// Their names in the file.
    package var names: [String]
  }

  /// Puts the weights of `file` into the network `entry`.
  ///
  /// - Parameters:
  ///   - file: every array of it is used or ignored by name.
  ///   - entry: the network that they are of.
  ///   - classes: nil for the file's own classifier, a number for a fresh one.
  ///   - epsilon: what the batch-norms added to the variance; nil for the published weights' own.
  ///   - engine: of the new network.
  ///   - seed: of a fresh classifier's weights.
  /// - Throws: `UserError` `.data` naming what does not fit.
  package init(
    _ file: WeightFile,
    as entry: Zoo.Entry,
    classes: Int? = nil,
    epsilon: Double? = nil,
    engine: Engine,
    seed: UInt64 = 1
  ) throws {
    var rest = WeightReader(file)
    let naming = try rest.naming(of: entry)
    let places = try rest.places(naming, of: entry)
    let classifier = naming.module("", of: nil, "classifier", at: nil).convolution
    let tail = naming.module(
      "project",
      of: entry.network.blocks.last,
      "",
      at: places.last ?? nil
    ).convolution
    var ignored = rest.ignored()
    if classes != nil { ignored += rest.drop(["\(classifier).weight", "\(classifier).bias"]) }
    let epsilon = epsilon ?? naming.epsilon(of: entry.network.name)
    let form = naming.form(
      of: entry.network,
      hasPoolBias: rest["\(tail).bias"] != nil,
      classes: classes ?? rest["\(classifier).weight"]?.shape.first ?? entry.network.classes
    )

    network = Network(form, engine: engine, seed: seed)
    // The program's own batch-norms add as little as any; the variance takes up the rest.
    let rise = epsilon - (network.norms.first?.epsilon ?? epsilon)
    let names = form.blocks.indices.map { Network.name(of: $0, in: form) }
    var state = StateDictionary()
    for array in network.entries {
      let block = names.firstIndex { array.name.hasPrefix($0 + ".") }
      if block == nil, classes != nil { continue }
      let path = array.name.dropFirst(block.map { names[$0].count + 1 } ?? "classifier.".count)
      let part = path.split(separator: ".").dropLast().joined(separator: ".")
      let module = naming.module(
        part,
        of: block.map { form.blocks[$0] },
        block.map { names[$0] } ?? "classifier",
        at: block.flatMap { places[$0] }
      )
      state[array.name] = try rest.take(array, module, rise: rise)
    }
    try rest.finish(form.name, naming)
    for array in network.state() where state[array.name] == nil { state[array.name] = array }
    try network.restore(state)
    self.naming = naming
    self.epsilon = epsilon
    self.ignored = ignored
    taken = rest.taken
  }
}

/// The arrays of a file that are not used yet, and what was found to be wrong.
private struct WeightReader {
  private let file: WeightFile
  private var arrays: [String: WeightFile.Array]
  private var missing: [String] = []
  private var misfits: [String] = []
  /// Arrays that were used.
  private(set) var taken = 0

  init(_ file: WeightFile) {
    self.file = file
    arrays = Dictionary(file.arrays.map { ($0.name, $0) }) { $1 }
  }

  subscript(name: String) -> WeightFile.Array? { arrays[name] }

  private func fault(_ problem: String, remedy: String) -> UserError {
    UserError(.data, file.path, problem, remedy: remedy)
  }

  /// Whose names these are; throws where that program has no such network.
  func naming(of entry: Zoo.Entry) throws -> Naming {
    guard let naming = Naming(of: arrays.keys) else {
      throw fault(
        "has the names of neither timm nor mobile-vision, but "
          + arrays.keys.sorted().listed(atMost: 3),
        remedy: "give a state dict of one of them"
      )
    }
    if let obstacle = naming.obstacle(entry) {
      throw fault(
        "has the names of \(naming.rawValue), but \(entry.network.name) cannot be: \(obstacle)",
        remedy: "name another network with --as"
      )
    }
    return naming
  }

  /// The number in the file of each block; nil for those without arrays of their own.
  func places(_ naming: Naming, of entry: Zoo.Entry) throws -> [Naming.Place?] {
    let network = entry.network
    var found = Set(arrays.keys.compactMap(naming.place)).sorted()[...]
    let numbered = network.blocks.indices.filter {
      naming.numbers(network.blocks[$0], at: $0, in: network)
    }
    guard found.count == numbered.count else {
      throw fault(
        "holds \(Format.counted(found.count, "block")), \(network.name) has \(numbered.count)",
        remedy: "name the network that it is of with --as"
      )
    }
    return network.blocks.indices.map { numbered.contains($0) ? found.removeFirst() : nil }
  }

  /// What needs no place in a network.
  mutating func ignored() -> [ImportedNetwork.Ignored] {
    let counters = arrays.keys.filter { $0.hasSuffix(".num_batches_tracked") }.sorted()
    for name in counters { arrays[name] = nil }
    return [
      .init(reason: "counts training steps", names: counters),
      .init(reason: "is no array of the weights taken", names: file.others),
    ].filter { !$0.names.isEmpty }
  }

  /// Leaves out the classifier.
  mutating func drop(_ names: [String]) -> [ImportedNetwork.Ignored] {
    let names = names.filter { arrays.removeValue(forKey: $0) != nil }
    return names.isEmpty ? [] : [.init(reason: "a new classifier takes its place", names: names)]
  }

  /// What an array of the network becomes; nil, with a note, where the file has nothing that fits.
  ///
  /// `rise` is added to variances.
  mutating func take(
    _ array: StateEntry,
    _ module: Naming.Module,
    rise: Double
  ) throws -> NamedArray? {
    var values: [Float]?
    switch array.name.split(separator: ".").last {
    case "weight":
      let filter = ForeignFilter(array)
      values = try read(module.convolution + ".weight", filter.shapes).map(filter.arranged)
    case "bias": values = try read(module.convolution + ".bias", [array.shape])
    case "gamma": values = try read(module.norm + ".weight", [array.shape])
    case "beta": values = try read(module.norm + ".bias", [array.shape])
    case "variance":
      values = try read(module.norm + ".running_var", [array.shape])?
        .map { Float(Double($0) + rise) }
    case "mean":
      values = try read(module.norm + ".running_mean", [array.shape])
      // A bias before a batch-norm does what a lower mean does.
      if arrays[module.convolution + ".bias"] != nil,
        let bias = try read(module.convolution + ".bias", [array.shape])
      {
        values = values.map { zip($0, bias).map { $0 - $1 } }
      }
    default: break
    }
    return values.map { NamedArray(name: array.name, shape: array.shape, values: $0) }
  }

  private mutating func read(_ name: String, _ shapes: [[Int]]) throws -> [Float]? {
    guard let array = arrays.removeValue(forKey: name) else {
      missing.append(name)
      return nil
    }
    guard shapes.contains(array.shape) else {
      misfits.append("\(name) \(array.shape), not \(shapes[0])")
      return nil
    }
    let values = try array.values()
    guard values.allSatisfy(\.isFinite) else {
      throw fault(
        "array \(name) holds values that are not finite numbers",
        remedy: "use weights of another moment of the training"
      )
    }
    guard !name.hasSuffix(".running_var") || values.allSatisfy({ $0 >= 0 }) else {
      throw fault("array \(name) holds variances below 0", remedy: "restore the file from a copy")
    }
    taken += 1
    return values
  }

  /// Throws unless every array of network and file was used.
  func finish(_ network: String, _ naming: Naming) throws {
    let problems = [
      ("lacks", missing), ("has other shapes:", misfits), ("has too many:", arrays.keys.sorted()),
    ].filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.listed(atMost: 10))" }
    guard problems.isEmpty else {
      throw fault(
        "is no \(network) of \(naming.rawValue): it \(problems.joined(separator: "; it "))",
        remedy: "name the network that it is of with --as"
      )
    }
  }
}

/// How PyTorch lays out the weights of a convolution, [D, C/g, K, K], beside the program's own.
private struct ForeignFilter {
  let outputs: Int
  let inputs: Int
  let kernel: Int
  let groups: Int
  let isDepthwise: Bool

  /// Reads the sizes off an array of the program; see `NetworkArchive` for its layouts.
  init(_ array: StateEntry) {
    let shape = array.shape
    isDepthwise = shape.count == 3 && array.name.contains(".depthwise")
    (outputs, inputs, kernel, groups) =
      switch shape.count {
      case 2: (shape[1], shape[0], 1, 1)
      case 3 where isDepthwise: (shape[2], 1, shape[0], shape[2])
      case 3: (shape[0] * shape[2], shape[1], 1, shape[0])
      case 4: (shape[3], shape[2], shape[0], 1)
      default: (shape[0] * shape[4], shape[3], shape[1], shape[0])
      }
  }

  /// Shapes that the other program's array may have.
  var shapes: [[Int]] {
    [[outputs, inputs, kernel, kernel]] + (kernel == 1 ? [[outputs, inputs]] : [])
  }

  /// The program's array of the other one's.
  func arranged(_ values: [Float]) -> [Float] {
    var arranged = [Float](repeating: 0, count: values.count)
    let (taps, width) = (kernel * kernel, outputs / groups)
    for output in 0..<outputs {
      let (group, channel) = output.quotientAndRemainder(dividingBy: width)
      for input in 0..<inputs {
        for tap in 0..<taps {
          let place =
            isDepthwise
            ? tap * outputs + output : ((group * taps + tap) * inputs + input) * width + channel
          arranged[place] = values[(output * inputs + input) * taps + tap]
        }
      }
    }
    return arranged
  }
}
