import Networks
import Runs
import Tensor

extension MaskedSpace {
  /// What networks cost by a table of this space's cells.
  ///
  /// Errors: `.data` naming the cells that are missing, or the first one that the space does not
  /// have.
  package func latencyCost(_ table: LatencyTable, place: String) throws -> any LatencyCost {
    try widthLatency(table, place: place)
  }

  /// See `latencyCost`.
  func widthLatency(_ table: LatencyTable, place: String) throws -> WidthLatencyCost {
    _ = try table.matched(to: self, of: "widths", place: place)
    var times: [LatencyTable.Key: Double] = [:]
    for entry in table.entries { times[entry.key] = entry.milliseconds }
    return WidthLatencyCost(self, times)
  }

  /// A row for each block at each resolution: its time in networks with all widths at shares of the
  /// way from the least to the greatest option, expansions at their greatest; then in the widest
  /// one with each other kernel, squeeze-and-excite and activation.
  package func latencyGrid(_ table: LatencyTable, place: String) throws -> LatencyGrid {
    let cost = try widthLatency(table, place: place)
    let shares = [0, 25, 50, 75, 100]
    let kinds = settings
    let rows = sizes.indices.reversed().flatMap { size -> [LatencyGrid.Row] in
      let networks = shares.map { uniform(size: size, share: Double($0) / 100) }
      let plain = networks.map { cost.blocks($0) }
      return blocks.indices.map { block in
        let widest = networks[networks.count - 1]
        let variants = kinds.map { kind in
          setting(kind, of: block, in: widest).map { cost.blocks($0)[block] }
        }
        let map = maps[size][block]
        return LatencyGrid.Row(
          name: blocks[block].name,
          detail: "\(map.height)x\(map.width)"
            + (blocks[block].stride > 1 ? " s\(blocks[block].stride)" : ""),
          milliseconds: plain.map { $0[block] } + variants,
          spread: [Double?](repeating: nil, count: shares.count + kinds.count)
        )
      }
    }
    return LatencyGrid(
      candidates: shares.map { "w \($0) %" } + kinds,
      rows: rows,
      fixed: cost.ends(uniform(size: sizes.count - 1, share: 1)),
      range: cost.range,
      findings: LatencyDiagnostics.findings(table, cost, widest: shares.count - 1, rows)
    )
  }

  /// A network of plain blocks, all there, with its widths at a share of the way from the first to
  /// the last option and its expansions at the last.
  private func uniform(size: Int, share: Double) -> Architecture {
    network(size) { width in
      Int((share * Double(widths[width].channels.count - 1)).rounded())
    } inner: { place in
      place.expansion = blocks[place.block].expansions.count - 1
    }
  }

  /// Names of the settings that some block can take besides the plain one: `k5`, `se`, `hswish`.
  private var settings: [String] {
    var names: [String] = []
    for block in blocks {
      let own =
        block.kernels.dropFirst().map { "k\($0)" } + (block.squeeze.choice == nil ? [] : ["se"])
        + (block.activation.choice == nil ? [] : ["hswish"])
      names += own.filter { !names.contains($0) }
    }
    return names
  }

  /// `network` with a block that has the named setting; nil where it cannot.
  private func setting(_ name: String, of index: Int, in network: Architecture) -> Architecture? {
    let block = blocks[index]
    let (axis, option): (Axis, Int?) =
      switch name {
      case "se": (block.squeeze, block.squeezes.firstIndex(of: true))
      case "hswish": (block.activation, block.activations.firstIndex(of: .hswish))
      default: (block.kernel, block.kernels.firstIndex { "k\($0)" == name })
      }
    guard let choice = axis.choice, let option else { return nil }
    var changed = network
    changed[choice] = option
    return changed
  }
}

extension LatencyDiagnostics {
  /// Spread from which a cell is called noisy, and move of the monotone fit that is told.
  private static let notable = 0.05

  /// Looks the prices of widths over; column 0 of `rows` is the narrowest network, `widest` the
  /// widest one of plain blocks.
  static func findings(
    _ table: LatencyTable,
    _ cost: WidthLatencyCost,
    widest: Int,
    _ rows: [LatencyGrid.Row]
  ) -> [Finding] {
    var found: [Finding] = []
    for row in rows {
      guard let least = row.milliseconds[0], let most = row.milliseconds[widest],
        most <= (1 + notable) * least
      else { continue }
      found.append(
        Finding(
          .warning,
          "\(row.name) (\(row.detail)): flat, its widest costs what its narrowest does"
        )
      )
    }
    let noisy = table.entries.filter { $0.spread ?? 0 > notable }
    if let worst = noisy.max(by: { $0.spread ?? 0 < $1.spread ?? 0 }) {
      found.append(
        Finding(
          .warning,
          "\(Format.counted(noisy.count, "cell")) of \(table.entries.count) noisy, the worst is "
            + "\(worst.place) ±\(Format.spacedPercent(worst.spread ?? 0))"
        )
      )
    }
    if let correction = cost.correction, correction.share > notable {
      found.append(
        Finding(
          .note,
          "not monotone as measured: \(correction.block.name) at "
            + "\(LatencyTable.shape(of: correction.block)) was evened by "
            + Format.spacedPercent(correction.share)
        )
      )
    }
    return found
  }
}
