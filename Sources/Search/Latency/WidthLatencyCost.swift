import Networks
import Runs
import Tensor

/// The latency of networks of masked blocks: the sum of the stem, the blocks and what follows them,
/// each a monotone staircase over the measured widths (spec S6, S25).
///
/// A block costs what the plain one costs with its input, middle, output and resolution, and what
/// its kernel, squeeze-and-excite and activation each add at its middle. The expected cost of
/// independent choices is the exact mean.
package struct WidthLatencyCost: JointCostModel, LatencyCost {
  /// Milliseconds.
  package let metric: Configuration.SearchSettings.Cost = .latency
  /// Nothing: the stem and the rest are parts.
  package let fixed = 0.0
  /// The stem, the blocks, and what follows them.
  package let parts: [JointPrices]
  /// The networks by their exact costs.
  package let trellis: CostTrellis
  /// What the fastest and the slowest network take.
  package let range: ClosedRange<Double>
  /// Options of each choice.
  package let optionCounts: [Int]
  /// The measured block that the monotone fit moved most, and by what share.
  let correction: (block: BlockDescription, share: Double)?
  private let space: MaskedSpace

  /// Takes the measured times of a space's cells, milliseconds, all of them there.
  init(_ space: MaskedSpace, _ times: [LatencyTable.Key: Double]) {
    // By resolution and options of the widths.
    func staircase(
      _ name: String,
      _ options: [[Int]],
      _ block: (_ size: Int, _ options: [Int]) -> BlockDescription
    ) -> Staircase {
      let measured = space.sizes.indices.flatMap { size in options.map { [size] + $0 } }
      return Staircase(
        measured,
        measured.map { times[.end(name, block($0[0], Array($0[1...])).latencyCell)] ?? 0 }
      )
    }
    let measured = space.measuredWidths
    let stem = staircase("stem", measured[0].map { [$0] }) { space.stem(size: $0, width: $1[0]) }
    let rest = staircase("rest", space.endOptions(among: measured)) { space.endBlock(size: $0, $1) }
    let blocks = space.blocks.indices.map { BlockTimes(space, $0, times) }
    let places = space.blocks.indices.map { space.places(of: $0) }
    let prices = zip(blocks, places).map { $0.prices(of: $1, in: space) }
    let trellis = space.trellis(
      MaskedSpace.PartPrices(
        stem: { stem[[$0, $1]] },
        block: { prices[$0.block][$0] ?? 0 },
        rest: { rest[[$0] + $1] },
        countsActivation: true
      )
    )
    func joint(
      _ staircase: Staircase,
      _ widths: ArraySlice<MaskedSpace.Width>,
      _ options: [[Int]]
    ) -> JointPrices {
      JointPrices(
        ([space.resolution] + widths.map(\.axis)).map { ($0.choice, $0.count) },
        prices: space.sizes.indices.flatMap { size in options.map { staircase[[size] + $0] } }
      )
    }
    parts =
      [joint(stem, space.widths[...0], space.widths[0].channels.indices.map { [$0] })]
      + space.blocks.indices.map { index in
        let block = space.blocks[index]
        let present = places[index].map { prices[index][$0] ?? 0 }
        // A block that is left out costs nothing.
        let skipped = [Double](repeating: 0, count: (block.skip.count - 1) * present.count)
        return JointPrices(
          ([block.skip, space.resolution] + space.widthAxes(of: block)
            + [block.expansion, block.kernel, block.squeeze, block.activation])
            .map { ($0.choice, $0.count) },
          prices: present + skipped
        )
      } + [joint(rest, space.widths[space.lastWidth...], space.endOptions)]
    self.trellis = trellis
    range = trellis.range
    optionCounts = space.optionCounts
    correction = blocks.compactMap(\.correction).max { $0.share < $1.share }
    self.space = space
  }

  /// Milliseconds of the blocks; 0 for those that are left out.
  package func blocks(_ architecture: Architecture) -> [Double] {
    parts.dropFirst().dropLast().map { $0.price(architecture) }
  }

  /// See `LatencyCost`.
  package func end(_ architecture: Architecture) -> Double? {
    parts[parts.count - 1].price(architecture)
  }

  /// Milliseconds of the stem and of what follows the blocks.
  func ends(_ architecture: Architecture) -> Double {
    parts[0].price(architecture) + parts[parts.count - 1].price(architecture)
  }

  /// See `MaskedSpace.canonical`.
  package func canonical(_ architecture: Architecture) -> Architecture {
    space.canonical(architecture)
  }
}

/// The staircases of a block.
private struct BlockTimes {
  /// The plain block by resolution, input, middle and output.
  let plain: Staircase
  /// What a setting adds by resolution and middle; the settings are told apart by a variant of the
  /// plain block at the first resolution, widths and expansion.
  let added: [MaskedSpace.Place: Staircase]
  let correction: (block: BlockDescription, share: Double)?

  init(_ space: MaskedSpace, _ block: Int, _ times: [LatencyTable.Key: Double]) {
    func time(_ place: MaskedSpace.Place) -> Double {
      times[.cell(space.description(place).latencyCell)] ?? 0
    }
    let places = space.plainPlaces(block)
    let measured = places.map(time)
    let plain = Staircase(places.map { space.point($0) }, measured)
    var points: [MaskedSpace.Place: (at: [[Int]], values: [Double])] = [:]
    for level in space.levels(block) {
      let base = plain[space.point(level)]
      for variant in space.variants(of: level) {
        points[variant.setting, default: ([], [])].at.append([level.size, space.middle(level)])
        // Nothing that is added saves time.
        points[variant.setting]?.values.append(max(0, time(variant) - base))
      }
    }
    self.plain = plain
    added = points.mapValues { Staircase($0.at, $0.values) }
    var most: (place: MaskedSpace.Place, share: Double)?
    for (index, place) in places.enumerated() where measured[index] > 0 {
      let share = abs(plain.values[index] / measured[index] - 1)
      if share > most?.share ?? -1 { most = (place, share) }
    }
    correction = most.map { (space.candidate($0.place), $0.share) }
  }

  /// Milliseconds of a block at all its places.
  func prices(
    of places: [MaskedSpace.Place],
    in space: MaskedSpace
  ) -> [MaskedSpace.Place: Double] {
    var bases: [MaskedSpace.Place: Double] = [:]
    var prices: [MaskedSpace.Place: Double] = [:]
    for place in places {
      let plainPlace = space.plain(place)
      let base = bases[plainPlace] ?? plain[space.point(plainPlace)]
      bases[plainPlace] = base
      let middle = [place.size, space.middle(place)]
      prices[place] = space.differences(place, from: plainPlace).reduce(base) {
        $0 + (added[$1.setting]?[middle] ?? 0)
      }
    }
    return prices
  }
}

extension MaskedSpace {
  /// The axes of a block's widths.
  fileprivate func widthAxes(of block: Block) -> [Axis] {
    [widths[block.input].axis] + (block.isNew ? [widths[block.output].axis] : [])
  }

  /// What the time of a plain block rises with: resolution, and channels of input, middle, output.
  fileprivate func point(_ place: Place) -> [Int] {
    let block = blocks[place.block]
    return [
      place.size, widths[block.input].channels[place.input], middle(place),
      widths[block.output].channels[place.output],
    ]
  }

  /// The settings in which a block differs from the plain one, each alone.
  fileprivate func differences(_ place: Place, from plain: Place) -> [Place] {
    let settings: [WritableKeyPath<Place, Int>] = [\.kernel, \.squeeze, \.activation]
    return settings.filter { place[keyPath: $0] != plain[keyPath: $0] }.map {
      var changed = plain
      changed[keyPath: $0] = place[keyPath: $0]
      return changed
    }
  }
}

extension MaskedSpace.Place {
  /// The same settings inside, at the first resolution, widths and expansion.
  fileprivate var setting: MaskedSpace.Place {
    var setting = self
    (setting.size, setting.input, setting.output, setting.expansion) = (0, 0, 0, 0)
    return setting
  }
}
