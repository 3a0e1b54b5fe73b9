/// An array of a saved state.
package struct NamedArray: Sendable, Equatable {
  /// Readable path, `blocks.3.expand.weight`.
  package var name: String
  /// Sizes, outermost first.
  package var shape: [Int]
  /// The elements, as many as the shape says.
  package var values: [Float]

  package init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// Where an array of a saved state comes from, and where it goes to.
///
/// A list of entries says both what is saved and what is restored, so the two cannot differ.
package struct StateEntry {
  /// Unique in the state.
  package let name: String
  /// Sizes, outermost first.
  package let shape: [Int]
  /// The values of this moment.
  package let read: () -> [Float]
  /// Takes up saved values, as many as the shape says.
  package let write: ([Float]) -> Void

  package init(
    name: String,
    shape: [Int],
    read: @escaping () -> [Float],
    write: @escaping ([Float]) -> Void
  ) {
    self.name = name
    self.shape = shape
    self.read = read
    self.write = write
  }

  /// The elements of a buffer.
  package init(name: String, shape: [Int], buffer: Buffer) {
    self.init(name: name, shape: shape) {
      Array(buffer.elements)
    } write: {
      for (i, value) in $0.enumerated() { buffer.pointer[i] = value }
    }
  }

  /// A counter; a Float is exact up to 2^24.
  package init(name: String, count: @escaping () -> Int, restore: @escaping (Int) -> Void) {
    self.init(name: name, shape: [1]) {
      [Float(count())]
    } write: {
      restore(Int($0[0]))
    }
  }
}

/// A saved array that does not fit where it should go.
package struct StateFault: Error, Equatable {
  /// `blocks.3.expand.weight`.
  package let name: String
  /// Shape that was saved; nil if the array is missing.
  package let found: [Int]?
  /// Shape wanted.
  package let expected: [Int]

  /// What is wrong, in words that follow the name of a file.
  package var problem: String {
    found.map { "array '\(name)' has shape \($0), expected \(expected)" }
      ?? "has no array '\(name)'"
  }
}

/// Named arrays in the order in which they are saved: weights, moments, counters.
package struct StateDictionary: Sendable, Equatable {
  private var arrays: [NamedArray] = []
  private var places: [String: Int] = [:]

  /// Gathers arrays; of two with one name the first counts.
  package init(_ arrays: some Sequence<NamedArray> = []) {
    for array in arrays where places[array.name] == nil {
      places[array.name] = self.arrays.count
      self.arrays.append(array)
    }
  }

  /// The state of this moment.
  package init(_ entries: [StateEntry]) {
    self.init(
      entries.lazy.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.read()) }
    )
  }

  /// The array of that name; a new one comes last, nil takes it out.
  package subscript(name: String) -> NamedArray? {
    get { places[name].map { arrays[$0] } }
    set {
      precondition(newValue == nil || newValue?.name == name, "StateDictionary: name of another")
      switch (places[name], newValue) {
      case (let place?, let array?): arrays[place] = array
      case (nil, let array?):
        places[name] = arrays.count
        arrays.append(array)
      case (let place?, nil):
        arrays.remove(at: place)
        self = StateDictionary(arrays)
      case (nil, nil): break
      }
    }
  }

  /// Writes the arrays to `entries`, all of them or none.
  ///
  /// - Throws: `StateFault` for the first array that is missing or of another shape.
  package func restore(_ entries: [StateEntry]) throws(StateFault) {
    var found: [[Float]] = []
    for entry in entries {
      guard let array = self[entry.name], array.shape == entry.shape,
        array.values.count == entry.shape.reduce(1, *)
      else {
        throw StateFault(
          name: entry.name,
          found: self[entry.name]?.shape,
          expected: entry.shape
        )
      }
      found.append(array.values)
    }
    for (entry, values) in zip(entries, found) { entry.write(values) }
  }
}

extension StateDictionary: RandomAccessCollection {
  /// 0.
  package var startIndex: Int { 0 }
  /// How many arrays there are.
  package var endIndex: Int { arrays.count }
  /// An array by its place.
  package subscript(place: Int) -> NamedArray { arrays[place] }
}
