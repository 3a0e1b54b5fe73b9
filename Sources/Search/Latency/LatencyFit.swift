import Data
import Foundation
import Runs
import Tensor

/// A device's latency table, fitted to the times of whole networks (spec S7).
///
/// The file is CSV: `arch` (one digit a layer, the index of its candidate in the config's order)
/// and a column of milliseconds for each device.
///
/// Only differences within a layer follow from whole networks. So the cheapest candidate of
/// each layer is priced 0, and what it costs is part of the fixed part; no price is negative, and
/// every prediction is the fit's. Where the cheapest is not `skip`, skip has a price: noise, which
/// the diagnostics name.
package struct LatencyFit: Sendable {
  /// Milliseconds, none of them negative.
  package let prices: AdditiveCost
  /// The device's column.
  package let device: String
  /// Networks that the prices were fitted to.
  package let fitted: Int
  /// Networks kept apart to evaluate the fit.
  package let heldOut: Int
  /// How the fit agrees with those kept apart.
  package let quality: FitQuality

  /// Of the networks in the file, the share at its end that is kept apart.
  private static let heldOutShare = 0.2

  /// Fits the times of `device`.
  ///
  /// The last fifth of the rows is kept apart. The prices are fitted to all rows before it, or to
  /// `networks` of them sampled by `seed`.
  ///
  /// - Parameters:
  ///   - table: the file.
  ///   - device: its column of milliseconds.
  ///   - sizes: candidates of each layer of the space.
  ///   - networks: how many to fit to; nil for all.
  ///   - seed: of the sample.
  /// - Throws: `UserError` naming the row and column of a cell that is no architecture of the space
  ///   or no time above 0, too few networks, or times that no sum of prices explains.
  package init(
    _ table: CSVTable,
    device: String,
    sizes: [Int],
    networks: Int? = nil,
    seed: UInt64 = 0
  ) throws {
    let architectures = try table.architectures(sizes: sizes)
    let column = try table.column(device)
    let times = try table.rows.indices.map { row in
      let value = try table.number(row: row, column: column)
      guard value > 0 else {
        throw table.fault(row: row, column: column, "a time above 0 ms expected, \(value) found")
      }
      return value
    }
    let heldOut = Int((Double(times.count) * LatencyFit.heldOutShare).rounded())
    let available = times.count - heldOut
    let count = networks ?? available
    guard heldOut >= 2, count >= 2 else {
      throw UserError(
        .data,
        table.path,
        "too few networks to fit and check a table",
        remedy: "give some hundred networks; a fifth of them is kept apart"
      )
    }
    guard count <= available else {
      throw UserError(
        .usage,
        "--networks \(count)",
        "\(table.path) has \(available) besides the \(heldOut) kept apart",
        remedy: "give \(available) or less"
      )
    }
    var random = Philox(seed: seed, purpose: .shuffle)
    let chosen =
      networks == nil
      ? Array(0..<available) : random.permutation(available).prefix(count).map { Int($0) }
    let fit = AdditiveFit(
      architectures: chosen.map { architectures[$0] },
      costs: chosen.map { times[$0] },
      sizes: sizes
    )
    guard fit.constant >= 0 else {
      throw UserError(
        .data,
        "\(table.path), column '\(device)'",
        "no table explains these times: the cheapest network would take \(fit.constant) ms",
        remedy: "give more networks, or times with less noise"
      )
    }
    prices = AdditiveCost(layers: fit.terms, fixed: fit.constant, metric: .latency)
    self.device = device
    fitted = count
    self.heldOut = heldOut
    quality = FitQuality(
      predictions: architectures[available...].map(fit.value),
      truths: Array(times[available...])
    )
  }
}

extension LatencyFit {
  /// The fit as a table of the space: a cell for each candidate of each layer, and one fixed part.
  package func latencyTable(for space: LayerwiseSpace) -> LatencyTable {
    var table = LatencyTable(device: device)
    table.entries = [
      LatencyTable.Entry(space.fixedBlocks.head, candidate: "fixed", milliseconds: prices.fixed)
    ]
    for (index, (candidates, prices)) in zip(space.layers, prices.layers).enumerated() {
      table.entries += zip(candidates, prices).map {
        LatencyTable.Entry($0, layer: index + 1, milliseconds: $1)
      }
    }
    return table
  }
}
