import Networks
import Runs

extension LatencyTable {
  /// The prices of a space's networks in milliseconds.
  ///
  /// - Parameters:
  ///   - space: the space, whose cells must all be there.
  ///   - place: what errors name, the file.
  /// - Returns: a price for each candidate of each layer.
  /// - Throws: `.data` naming the cells that are missing, or the first one that the space does not
  ///   have or that computes something else.
  package func prices(for space: LayerwiseSpace, place: String) throws -> AdditiveCost {
    let cells = try matched(to: space, place: place)
    let fixed = try fixedEntries(of: space, place: place)
    return AdditiveCost(
      layers: cells.map { $0.map { $0?.milliseconds ?? 0 } },
      fixed: fixed.reduce(0) { $0 + $1.milliseconds },
      metric: .latency
    )
  }

  /// The relative spread of each price, [layer][candidate]; 0 for identities, nil where none is
  /// known.
  package func spread(for space: LayerwiseSpace, place: String) throws -> [[Double]]? {
    let cells = try matched(to: space, place: place)
    guard cells.joined().contains(where: { $0?.spread != nil }) else { return nil }
    return cells.map { $0.map { $0?.spread ?? 0 } }
  }

  /// The entry of each candidate of each layer; nil for an identity that has none.
  private func matched(to space: LayerwiseSpace, place: String) throws -> [[Entry?]] {
    var byKey: [Key: Entry] = [:]
    for entry in entries { byKey[entry.key] = entry }
    var used: Set<Key> = []
    var cells: [[Entry?]] = []
    var missing: [(block: BlockDescription, layer: Int)] = []
    for (index, candidates) in space.layers.enumerated() {
      var row: [Entry?] = []
      for candidate in candidates {
        let keys: [Key] = [.layer(index + 1, candidate.name), .cell(candidate.latencyCell)]
        used.formUnion(keys)
        let entry = keys.lazy.compactMap { byKey[$0] }.first
        if let entry {
          guard entry.block == candidate.summary else {
            throw mismatch(place, "layer \(index + 1), \(candidate.name)", entry, candidate.summary)
          }
        } else if !candidate.isIdentity {
          missing.append((candidate, index + 1))
        }
        row.append(entry)
      }
      cells.append(row)
    }
    if let first = missing.first {
      throw fault(first.block, first.layer, missing.map(\.block), place)
    }
    if let strange = entries.first(where: { !$0.isFixed && !used.contains($0.key) }) {
      throw UserError(
        .data,
        "\(place): \(strange.place)",
        "the space has no such cell (\(strange.block))",
        remedy: "this table is of another search space or other candidates; "
          + "measure or import one for this space"
      )
    }
    // The same operator under a name of another list is more likely a mistake than a match.
    let names = Set(space.layers.joined().map(\.name))
    if let stranger = entries.first(where: { !$0.isFixed && !names.contains($0.candidate) }) {
      throw UserError(
        .data,
        "\(place): \(stranger.place)",
        "the space has no candidate '\(stranger.candidate)'",
        remedy: "name the cell as the space does, or measure a table for it"
      )
    }
    return cells
  }

  /// The error for cells that are not there.
  private func fault(
    _ block: BlockDescription,
    _ layer: Int,
    _ all: [BlockDescription],
    _ place: String
  ) -> UserError {
    // Another operator under the same name says more than that a cell is missing.
    if let other = entries.first(where: {
      $0.candidate == block.name && $0.layer == nil && isAt($0, block)
    }) {
      return mismatch(place, "layer \(layer), \(block.name)", other, block.summary)
    }
    var names: [String] = []
    for block in all {
      let name = "\(block.name) at \(LatencyTable.shape(of: block))"
      if !names.contains(name) { names.append(name) }
    }
    let more = names.count > 8 ? " and \(names.count - 8) more" : ""
    let knowsShape = entries.contains { $0.layer == layer || !$0.isFixed && isAt($0, block) }
    return UserError(
      .data,
      "\(place): layer \(layer)",
      "no cell for " + names.prefix(8).joined(separator: ", ") + more,
      remedy: knowsShape
        ? "add what is missing, or measure a table for these candidates"
        : "the table is of another search space; measure or import one for this space"
    )
  }

  private func isAt(_ entry: Entry, _ block: BlockDescription) -> Bool {
    let cell = block.latencyCell
    return entry.input == cell.input && entry.output == cell.output && entry.stride == cell.stride
  }

  private func mismatch(_ place: String, _ cell: String, _ entry: Entry, _ block: String)
    -> UserError
  {
    UserError(
      .data,
      "\(place): \(cell)",
      "the table's is \(entry.block), the space's \(block)",
      remedy: "the table is of another list of candidates; measure one for this space"
    )
  }

  /// Stem and rest, or both together.
  private func fixedEntries(of space: LayerwiseSpace, place: String) throws -> [Entry] {
    let blocks = space.fixedBlocks
    func entries(_ name: String) -> [Entry] { self.entries.filter { $0.candidate == name } }
    if let whole = entries("fixed").first { return [whole] }
    return try [("stem", blocks.stem), ("rest", blocks.head)].map { name, block in
      let all = entries(name)
      guard let found = all.first else {
        throw UserError(
          .data,
          "\(place): \(name)",
          "the cell is missing",
          remedy: "add 'stem' and 'rest' (head, mean, classifier), or both as one 'fixed'"
        )
      }
      if let other = all.first(where: { $0.cell != block.latencyCell }) {
        throw UserError(
          .data,
          "\(place): \(name)",
          "the table's is \(other.block) on \(LatencyTable.shape(other.input, other.output, 1)), "
            + "the space's \(block.summary) on "
            + LatencyTable.shape(block.latencyCell.input, block.output, 1),
          remedy: "the table is of another search space; measure one for this space"
        )
      }
      return found
    }
  }
}
