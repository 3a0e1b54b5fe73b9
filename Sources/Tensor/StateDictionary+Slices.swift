extension StateDictionary {
  /// The weights of a derived network among those of the widest: of every array of `entries` the
  /// part of the array of that name.
  ///
  /// The first channels of each width and the centre of each filter, the parts that masks keep
  /// (spec S26).
  ///
  /// - Parameter entries: of a network without groups in its 1×1 convolutions; arrays are [C] of a
  ///   batch-norm or bias, [C, D] of a linear layer, [K, K, C] and [K, K, C, D] of a convolution.
  /// - Returns: as many arrays as there are entries.
  /// - Throws: `StateFault` for the first array that is missing or does not hold such a part.
  package func sliced(to entries: [StateEntry]) throws(StateFault) -> StateDictionary {
    var arrays: [NamedArray] = []
    for entry in entries {
      guard let part = self[entry.name]?.sliced(to: entry.shape) else {
        throw StateFault(
          name: entry.name,
          found: self[entry.name]?.shape,
          expected: entry.shape
        )
      }
      arrays.append(part)
    }
    return StateDictionary(arrays)
  }
}

extension NamedArray {
  /// The part of that shape; nil if there is none.
  fileprivate func sliced(to part: [Int]) -> NamedArray? {
    guard shape != part else { return self }
    // Filters have their two sides first.
    let sides = part.count > 2 ? 2 : 0
    guard part.count == shape.count,
      zip(part, shape).allSatisfy({ $0 <= $1 }),
      (0..<sides).allSatisfy({ (shape[$0] - part[$0]) % 2 == 0 })
    else { return nil }
    let offsets = part.indices.map { $0 < sides ? (shape[$0] - part[$0]) / 2 : 0 }
    let values = (0..<part.reduce(1, *)).map { index in
      var (rest, place, step) = (index, 0, 1)
      for axis in part.indices.reversed() {
        place += (rest % part[axis] + offsets[axis]) * step
        rest /= part[axis]
        step *= shape[axis]
      }
      return self.values[place]
    }
    return NamedArray(name: name, shape: part, values: values)
  }
}
