import Runs

/// A network that a search has come to, as the screen of networks lists it.
struct KnownNetwork: Sendable, Equatable {
  /// How its accuracy was measured.
  enum Measure: String, Sendable {
    /// On images of the search, with the weights of the search.
    case search
    /// On validation images, with weights of its own.
    case trained
    /// On the test images.
    case test
  }

  /// `leading`, `chosen`, or where a derived one is from.
  var name: String
  /// The option of each choice, by name.
  var blocks: [String]
  var flops: Double
  var params: Double
  /// Milliseconds for one image; nil where that is not known.
  var latency: Double?
  /// 0…1; nil where nobody has evaluated it.
  var accuracy: Double?
  var measure: Measure
  /// Whether its accuracy is of weights of its own.
  var isRetrained: Bool

  /// Orders networks: the surer the measurement, and then the higher the accuracy, the better.
  fileprivate var rank: Double {
    let sure: Double =
      switch measure {
      case .search: 0
      case .trained: 2
      case .test: 4
      }
    return sure + (accuracy.map { $0.isFinite ? min(max($0, 0), 1) : 0 } ?? -1)
  }

  /// What it costs in a metric.
  func cost(_ metric: CostMetric) -> Double? {
    switch metric {
    case .flops: flops
    case .params: params
    case .latency: latency
    }
  }
}

extension KnownNetwork {
  init(_ network: DerivedRecord) {
    name = network.source + (network.step.map { "@\($0)" } ?? "")
    blocks = network.blocks
    (flops, params, latency) = (network.flops, network.params, network.latency)
    accuracy = network.top1 ?? network.trainedAccuracy ?? network.accuracy
    measure = network.top1 != nil ? .test : network.trainedAccuracy != nil ? .trained : .search
    isRetrained = measure != .search
  }
}

extension Model {
  /// The leading network, the chosen one and those derived: tested ones before trained ones before
  /// others, and of each the most accurate first.
  var networks: [KnownNetwork] {
    var all: [KnownNetwork] = []
    if let last = epochs.last {
      all.append(
        KnownNetwork(
          name: "leading",
          blocks: leadingOptions,
          flops: last.argmaxFlops,
          params: last.argmaxParams,
          latency: last.argmaxLatency,
          accuracy: last.argmaxAccuracy,
          measure: .search,
          isRetrained: false
        )
      )
    }
    if let found {
      all.append(
        KnownNetwork(
          name: "chosen",
          blocks: chosenOptions ?? [],
          flops: found.flops,
          params: found.params,
          latency: found.latency,
          accuracy: found.testAccuracy,
          measure: .test,
          isRetrained: false
        )
      )
    }
    let ranks = derived.map(KnownNetwork.init).enumerated().sorted {
      // Equal ones in the order of the store.
      ($0.element.rank, -$0.offset) > ($1.element.rank, -$1.offset)
    }
    return all + ranks.map(\.element)
  }

  /// The chosen network's option of each choice, by name; nil before the end, and for a run of
  /// before `SearchResult.options` whose choices are not its blocks.
  var chosenOptions: [String]? {
    found.flatMap { $0.options ?? (choosesBlocks ? $0.architecture.map(\.choice) : nil) }
  }

  /// Agreement of a ranking with the one before, from which on the weights tell good networks from
  /// bad ones.
  static let reliable = 0.7

  /// How far each ranking of the fixed networks agrees with the one before.
  var agreements: [(epoch: Double, agreement: Ranking.Agreement)] {
    let ranked = epochs.filter { $0.ranking != nil }
    return zip(ranked, ranked.dropFirst()).compactMap { before, after in
      guard let earlier = before.ranking, let ranking = after.ranking,
        let agreement = ranking.agreement(with: earlier)
      else { return nil }
      return (Double(after.epoch + 1), agreement)
    }
  }

  /// The letter of a network in the list and in the chart.
  static func mark(_ network: Int) -> Character {
    network < 26 ? Character(Unicode.Scalar(UInt8(97 + network))) : "+"
  }

  /// The most probable option of each choice, by name.
  var leadingOptions: [String] {
    choices.indices.map { index in
      let leader = leader(of: index)
      let options = choices[index].options
      return options.indices.contains(leader) ? options[leader].name : ""
    }
  }

  /// Whether the screen of networks is in sight, so that keys move in its list.
  var isShowingNetworks: Bool {
    screen == .main && kind.panels(ofTab: tab).contains(.networks)
  }

  /// The network whose blocks are shown; the first of the list until another is chosen.
  var chosenNetwork: KnownNetwork? {
    let all = networks
    return all.indices.contains(network) ? all[network] : all.first
  }

  /// Moves in the list of networks.
  mutating func moveNetwork(by steps: Int) {
    network = max(0, min(networks.count - 1, network + steps))
  }
}
