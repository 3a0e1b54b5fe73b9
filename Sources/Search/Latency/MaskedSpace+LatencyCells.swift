import Networks
import Runs
import Tensor

/// The cells of a space of widths that are measured.
///
/// All combinations of a block's settings would be thousands of cells. So each setting is measured
/// where it has its effect:
/// - with the first kernel, no squeeze-and-excite and ReLU (the *plain* block), every combination
///   of input, output, expansion and resolution, on some of the widths where there are many;
/// - every other kernel, squeeze-and-excite and activation alone, on blocks from the narrowest to
///   the widest: they work on the channels between the 1×1 convolutions, so what they add depends
///   on how many those are.
extension MaskedSpace: LatencySpace {
  /// Combinations of input, output and expansion of a block that are measured at a resolution, at
  /// most.
  private static let combinations = 350
  /// Pairs of width and expansion that are all measured with every variant.
  private static let fewLevels = 12
  /// Expansions of a block that are measured, at most.
  private static let mostExpansions = 8

  /// `most` of `count` options: the first, the last, and evenly between.
  static func spread(_ count: Int, most: Int) -> [Int] {
    guard count > most else { return Array(0..<count) }
    return (0..<most).map { (2 * $0 * (count - 1) + most - 1) / (2 * (most - 1)) }
  }

  /// Options of each width that are measured.
  var measuredWidths: [[Int]] {
    let expansions = blocks.indices.map { measuredExpansions($0).count }.max() ?? 1
    let most = Int((Double(Self.combinations) / Double(expansions)).squareRoot())
    return widths.map { Self.spread($0.channels.count, most: most) }
  }

  /// Expansions of a block that are measured.
  func measuredExpansions(_ block: Int) -> [Int] {
    Self.spread(blocks[block].expansions.count, most: Self.mostExpansions)
  }

  /// The option of each setting that a plain block takes: what costs least.
  func plain(_ place: Place) -> Place {
    let block = blocks[place.block]
    var plain = place
    plain.kernel = 0
    plain.squeeze = block.squeezes.firstIndex(of: false) ?? 0
    plain.activation = block.activations.firstIndex(of: .relu) ?? 0
    return plain
  }

  /// The measured plain blocks at one place of the network.
  func plainPlaces(_ block: Int) -> [Place] {
    let measured = measuredWidths
    let it = blocks[block]
    return sizes.indices.flatMap { size in
      measured[it.input].flatMap { input in
        (it.isNew ? measured[it.output] : [input]).flatMap { output in
          measuredExpansions(block).map { expansion in
            plain(
              Place(
                block: block,
                size: size,
                input: input,
                output: output,
                expansion: expansion
              )
            )
          }
        }
      }
    }
  }

  /// Settings that take another option than the plain block's, each alone.
  func variants(of plain: Place) -> [Place] {
    let block = blocks[plain.block]
    func changed(_ setting: WritableKeyPath<Place, Int>, _ count: Int) -> [Place] {
      (0..<count).filter { $0 != plain[keyPath: setting] }.map { option in
        var place = plain
        place[keyPath: setting] = option
        return place
      }
    }
    return changed(\.kernel, block.kernels.count) + changed(\.squeeze, block.squeezes.count)
      + changed(\.activation, block.activations.count)
  }

  /// The plain blocks at one place of the network on which variants are measured: from the
  /// narrowest to the widest.
  func levels(_ block: Int) -> [Place] {
    let it = blocks[block]
    return sizes.indices.flatMap { size in
      levelSteps.map { width, expansion in
        plain(
          Place(
            block: block,
            size: size,
            input: level(width, it.input),
            output: level(width, it.output),
            expansion: level(expansion, ofExpansions: block)
          )
        )
      }
    }
  }

  /// Pairs of a width and an expansion, as shares of the way from the least to the greatest one,
  /// that all places of the network take together.
  private var levelSteps: [(width: Double, expansion: Double)] {
    let most = measuredWidths.map(\.count).max() ?? 1
    let expansions = blocks.indices.map { measuredExpansions($0).count }.max() ?? 1
    func share(_ step: Int, _ count: Int) -> Double {
      count > 1 ? Double(step) / Double(count - 1) : 1
    }
    let pairs = (0..<most).flatMap { width in (0..<expansions).map { (width, $0) } }
    // Of many every second, like the squares of a chessboard: the hidden widths, on which the times
    // depend, remain dense.
    let last = most + expansions - 2
    return pairs.filter { width, expansion in
      let sum = width + expansion
      return pairs.count <= Self.fewLevels || sum == 0 || (last - sum).isMultiple(of: 2)
    }
    .map { (share($0.0, most), share($0.1, expansions)) }
  }

  private func level(_ share: Double, _ width: Int) -> Int {
    let measured = measuredWidths[width]
    return measured[Int((share * Double(measured.count - 1)).rounded())]
  }

  private func level(_ share: Double, ofExpansions block: Int) -> Int {
    let measured = measuredExpansions(block)
    return measured[Int((share * Double(measured.count - 1)).rounded())]
  }

  /// The plain cells of the blocks in their order, then the others.
  package var latencyCells: [BlockDescription] {
    var seen: Set<LatencyTable.Cell> = []
    let plain = blocks.indices.flatMap { plainPlaces($0) }
    let others = blocks.indices.flatMap { levels($0) }.flatMap { variants(of: $0) }
    return (plain + others).map { candidate($0) }
      .filter { seen.insert($0.latencyCell).inserted }
  }

  /// The stem of each measured width and what follows the blocks for each combination of measured
  /// widths, at every resolution.
  package var latencyEnds: [(candidate: String, block: BlockDescription)] {
    let measured = measuredWidths
    return sizes.indices.flatMap { size in
      measured[0].map { ("stem", stem(size: size, width: $0)) }
        + endOptions(among: measured).map { ("rest", endBlock(size: size, $0)) }
    }
  }

  /// The widths of the stages take turns: of every pair of measured options one goes to each second
  /// width and the other to those between, so that all places see all pairs in the same networks.
  ///
  /// The width behind a pooling tail's mean takes its turns with the expansions, as the time of the
  /// tail depends on three widths.
  package var latencyPlan: [(round: Int, architecture: Architecture)] {
    let measured = measuredWidths
    let pairs = 0..<(measured.map(\.count).max() ?? 1)
    let expansions = blocks.indices.map { measuredExpansions($0) }
    let last = widths.count - 1
    let most = 0..<max(expansions.map(\.count).max() ?? 1, end.pools ? measured[last].count : 1)
    let variants = blocks.indices.map { self.variants(of: levels($0)[0]).count }.max() ?? 0
    return sizes.indices.flatMap { size in
      pairs.flatMap { even in
        pairs.flatMap { odd in
          most.map { turn in
            network(size) { width in
              let all = measured[width]
              let turn = end.pools && width == last ? turn : width.isMultiple(of: 2) ? even : odd
              return all[turn % all.count]
            } inner: { place in
              // Other neighbours with every expansion.
              let all = expansions[place.block]
              place.expansion = all[(turn + place.block) % all.count]
            }
          }
        }
      }
        + levelSteps.flatMap { step in
          (0..<variants).map { turn in
            network(size) {
              level(step.width, $0)
            } inner: { place in
              place.expansion = level(step.expansion, ofExpansions: place.block)
              let all = self.variants(of: place)
              if !all.isEmpty { place = all[(turn + place.block) % all.count] }
            }
          }
        }
    }.map { (0, $0) }
  }

  /// A network of plain blocks, all there, that `inner` may change; `width` gives the option of
  /// each width.
  func network(
    _ size: Int,
    width: (Int) -> Int,
    inner: (inout Place) -> Void
  ) -> Architecture {
    var architecture = Architecture(choices.map { _ in 0 })
    func take(_ axis: Axis, _ option: Int) {
      if let choice = axis.choice { architecture[choice] = option }
    }
    take(resolution, size)
    for (index, it) in widths.enumerated() { take(it.axis, width(index)) }
    for (index, block) in blocks.enumerated() {
      var place = plain(
        Place(block: index, size: size, input: width(block.input), output: width(block.output))
      )
      inner(&place)
      take(block.expansion, place.expansion)
      take(block.kernel, place.kernel)
      take(block.squeeze, place.squeeze)
      take(block.activation, place.activation)
    }
    return architecture
  }
}
