import ArgumentParser
import Foundation
import Networks
import Runs

/// `supertop models`: the published networks.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List the published networks, or count any network.",
    discussion: """
      A network is named by the zoo's name, or is a JSON or safetensors file or a finished run.

      FLOPs and parameters follow the rule by which each network's published figures were counted, \
      or the one that --rule names: zoo (multiply-accumulates, and one for each value that a mean \
      over all pixels reads; weights of convolutions and linear layers), madds \
      (multiply-accumulates alone), with-batch-norm (zoo, and one for each value that a batch-norm \
      scales; all trained parameters).
      """
  )

  @Argument(help: ArgumentHelp("Name, JSON or safetensors file, or run.", valueName: "network|run"))
  var name: String?

  @Flag(help: "Print the layers of the network.")
  var layers = false

  @Flag(help: "Print an array of JSON objects.")
  var json = false

  @Option(help: ArgumentHelp("Counting rule: zoo, madds or with-batch-norm.", valueName: "rule"))
  var rule: String?

  /// A network in the JSON array.
  struct Model: Encodable {
    var name: String
    var family: String
    var resolution: Int
    var flops: Int
    var params: Int
    var publishedFlops: Int?
    var publishedParams: Int?
    var countingRule: String
    /// Whether both figures are the published ones, by the network's own rule, to the last printed
    /// digit.
    var match: Bool?

    enum CodingKeys: String, CodingKey {
      case name, family, resolution, flops, params, match
      case publishedFlops = "published_flops"
      case publishedParams = "published_params"
      case countingRule = "counting_rule"
    }

    init(_ entry: Zoo.Entry, rule: CountingRule) {
      let cost = entry.network.cost
      name = entry.network.name
      family = entry.network.family
      resolution = entry.network.height
      flops = cost.flops(rule)
      params = cost.params(rule)
      publishedFlops = entry.publishedFlops.flatMap(Model.count)
      publishedParams = entry.publishedParams.flatMap(Model.count)
      countingRule = rule.rawValue
      match = entry.isExact
    }

    /// What millions, as printed, stand for.
    private static func count(_ millions: String) -> Int? {
      Double(millions).map { Int(($0 * 1e6).rounded()) }
    }

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(name, forKey: .name)
      try values.encode(family, forKey: .family)
      try values.encode(resolution, forKey: .resolution)
      try values.encode(flops, forKey: .flops)
      try values.encode(params, forKey: .params)
      // Null rather than missing, so that every object has every key.
      try values.encode(publishedFlops, forKey: .publishedFlops)
      try values.encode(publishedParams, forKey: .publishedParams)
      try values.encode(countingRule, forKey: .countingRule)
      try values.encode(match, forKey: .match)
    }
  }

  func run() throws {
    let rule = try countingRule()
    var entries = Zoo.entries
    if let name {
      entries = [
        try Zoo.named(name)
          ?? Zoo.Entry(unpublished: NetworkSource(name).description)
      ]
    }
    if layers {
      guard name != nil, let entry = entries.first else {
        throw UserError(.usage, "--layers", "of which network?", remedy: "name one")
      }
      if json { return Output().text(NetworkFile.json(entry.network)) }
      return show(layers: entry, rule ?? entry.rule)
    }
    let models = entries.map { Model($0, rule: rule ?? $0.rule) }
    if json {
      return Output().text(try JSONText.encode(models, indented: true))
    }
    show(models)
  }

  private func countingRule() throws -> CountingRule? {
    guard let rule else { return nil }
    guard let known = CountingRule(rawValue: rule) else {
      throw UserError(
        .usage,
        "--rule \(rule)",
        "no such rule",
        remedy: "give \(CountingRule.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return known
  }

  private func show(_ models: [Model]) {
    var rows = [
      ["name", "family", "pixels", "FLOPs", "params", "published", "", "match", "rule"]
    ]
    for model in models {
      rows.append([
        model.name, model.family, "\(model.resolution)", millions(model.flops),
        millions(model.params), model.publishedFlops.map(millions) ?? "-",
        model.publishedParams.map(millions) ?? "-", model.match.map { $0 ? "exact" : "no" } ?? "-",
        model.countingRule,
      ])
    }
    Output().text(TextTable.aligned(rows, left: [0, 1, 8]))
    let published = models.compactMap(\.match)
    if models.count > 1 {
      Output().line(
        "\(models.count) networks, \(published.count(where: { $0 })) of \(published.count) "
          + "published "
          + "figures exact; FLOPs and params in millions"
      )
    }
  }

  private func show(layers entry: Zoo.Entry, _ rule: CountingRule) {
    let network = entry.network
    var rows = [["layer", "block", "input", "output", "FLOPs", "params"]]
    for (index, block) in network.blocks.enumerated() {
      let cost = block.cost
      rows.append([
        Network.name(of: index, in: network), block.summary,
        "\(block.height)x\(block.width)x\(block.input)",
        "\(block.outputSize(block.height))x\(block.outputSize(block.width))x\(block.output)",
        millions(cost.flops(rule)), millions(cost.params(rule)),
      ])
    }
    let total = network.cost
    let last = network.classifierCost
    rows.append([
      "classifier", "mean, linear", "\(network.end.channels)", "\(network.classes)",
      millions(last.flops(rule)), millions(last.params(rule)),
    ])
    rows.append([
      "total", rule.rawValue, "", "", millions(total.flops(rule)), millions(total.params(rule)),
    ])
    Output().text(TextTable.aligned(rows, left: [0, 1]))
  }

  private func millions(_ count: Int) -> String {
    Format.fixed(Double(count) / 1e6, 6)
  }
}

extension Zoo {
  /// The network `name`.
  ///
  /// Errors: `UserError` with the nearest name.
  static func found(_ name: String) throws -> Entry {
    if let entry = named(name) { return entry }
    let nearest = entries.map(\.network.name).min {
      editDistance($0.lowercased(), name.lowercased())
        < editDistance($1.lowercased(), name.lowercased())
    }
    throw UserError(
      .noInput,
      name,
      "no such network",
      remedy: "the nearest is \(nearest ?? ""); 'supertop models' lists all"
    )
  }
}
