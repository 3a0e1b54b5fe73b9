import Foundation
import Networks
import Runs

/// How long the blocks of a space take on a device (spec S7): a readable JSON file, measured by
/// this program or imported.
///
/// A cell is found by its block, input, output and stride; a fitted table's by its layer and
/// candidate. The latency of a network is the sum of its cells (spec S6).
package struct LatencyTable: Sendable, Equatable {
  /// What was timed: a processor's or a phone's name.
  package var device: String
  /// Worker threads; nil where not known.
  package var threads: Int?
  /// Instruction set; nil where not known.
  package var isa: String?
  /// Day and time of the measurement, ISO 8601.
  package var date: String
  /// The cells, those of the fixed parts first.
  package var entries: [Entry] = []

  /// One cell.
  package struct Entry: Sendable, Equatable {
    /// Candidate name, or `stem`, `rest` (head, mean over all pixels, classifier; where widths are
    /// searched there are several of both), `fixed` (both together).
    package var candidate: String
    /// Layer from 1 on, of a cell that goes before the ones found by shape; nil for those.
    package var layer: Int?
    /// What it computes, as `BlockDescription.summary` says it.
    package var block: String
    /// [height, width, channels].
    package var input: [Int]
    /// Channels out.
    package var output: Int
    /// Step of the block.
    package var stride: Int
    /// Median of the timings, milliseconds.
    package var milliseconds: Double
    /// Half the width of the median's 95 % confidence interval, as a share of it; nil where not
    /// known.
    package var spread: Double?
    /// Timings behind it; nil where not known.
    package var repeats: Int?
    /// Networks that it was timed in, `milliseconds` being the mean of their medians; nil where not
    /// known.
    package var networks: Int?

    /// A cell for `description`; `candidate` is its name unless given.
    package init(
      _ description: BlockDescription,
      candidate: String? = nil,
      layer: Int? = nil,
      milliseconds: Double,
      spread: Double? = nil,
      repeats: Int? = nil,
      networks: Int? = nil
    ) {
      self.candidate = candidate ?? description.name
      self.layer = layer
      block = description.summary
      input = [description.height, description.width, description.input]
      output = description.output
      stride = description.stride
      self.milliseconds = milliseconds
      self.spread = spread
      self.repeats = repeats
      self.networks = networks
    }

    init(
      candidate: String,
      layer: Int?,
      block: String,
      input: [Int],
      output: Int,
      stride: Int,
      milliseconds: Double,
      spread: Double?,
      repeats: Int?,
      networks: Int?
    ) {
      self.candidate = candidate
      self.layer = layer
      self.block = block
      self.input = input
      self.output = output
      self.stride = stride
      self.milliseconds = milliseconds
      self.spread = spread
      self.repeats = repeats
      self.networks = networks
    }

    /// Whether it belongs to what all networks share.
    package var isFixed: Bool { LatencyTable.fixedNames.contains(candidate) }

    /// Its place: `layer 3, k3_e6`, or `16x16 24→32 s2, k3_e6`.
    package var place: String {
      if isFixed { return candidate }
      return (layer.map { "layer \($0)" } ?? LatencyTable.shape(input, output, stride))
        + ", " + candidate
    }

    /// What identifies it.
    var key: Key {
      if let layer { return .layer(layer, candidate) }
      if candidate == "fixed" { return .fixed }
      return isFixed ? .end(candidate, cell) : .cell(cell)
    }

    var cell: Cell { Cell(block: block, input: input, output: output, stride: stride) }
  }

  /// What a cell is found by.
  enum Key: Hashable {
    case fixed
    case end(String, Cell)
    case layer(Int, String)
    case cell(Cell)
  }

  /// A block at its place: two layers of one shape share it.
  package struct Cell: Hashable, Sendable {
    var block: String
    var input: [Int]
    var output: Int
    var stride: Int
  }

  /// A table without cells.
  package init(device: String, threads: Int? = nil, isa: String? = nil, date: Date = Date()) {
    self.device = device
    self.threads = threads
    self.isa = isa
    self.date = date.ISO8601Format()
  }

  /// Names of the parts that all networks share.
  static let fixedNames = ["stem", "rest", "fixed"]

  /// `16x16 24→32 s2`, as the dashboard says it.
  static func shape(_ input: [Int], _ output: Int, _ stride: Int) -> String {
    let channels = input.last ?? 0
    return input.dropLast().map { "\($0)" }.joined(separator: "x")
      + (channels == output ? " \(channels)" : " \(channels)→\(output)")
      + (stride > 1 ? " s\(stride)" : "")
  }
}

extension LatencyTable {
  static func shape(of block: BlockDescription) -> String {
    shape([block.height, block.width, block.input], block.output, block.stride)
  }
}

extension BlockDescription {
  /// What a latency table finds it by.
  package var latencyCell: LatencyTable.Cell {
    LatencyTable.Cell(
      block: summary,
      input: [height, width, input],
      output: output,
      stride: stride
    )
  }

  /// Whether it passes its input on and so costs nothing.
  package var isIdentity: Bool {
    if case .skip = kind { keepsShape } else { false }
  }
}
