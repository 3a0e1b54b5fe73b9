import Foundation

/// The published networks of the FBNet family, and their neighbours (spec S60).
package enum Zoo {
  /// A published network.
  package struct Entry: Sendable {
    /// What it is.
    package let network: NetworkDescription
    /// The rule by which its figures were counted.
    package let rule: CountingRule
    /// Published millions of FLOPs, as printed; nil where none was, or only a rounded one.
    package let publishedFlops: String?
    /// Published millions of parameters, as printed.
    package let publishedParams: String?
    /// Published top-1 on ImageNet, percent.
    package let top1: Double?

    /// Whether FLOPs and parameters are the published ones to the last printed digit; nil without
    /// any.
    package var isExact: Bool? {
      guard let publishedFlops, let publishedParams else { return nil }
      let cost = network.cost
      return Entry.prints(cost.flops(rule), as: publishedFlops)
        && Entry.prints(cost.params(rule), as: publishedParams)
    }

    /// Whether `count` in millions, rounded to as many decimals as `figure` has, is `figure`.
    static func prints(_ count: Int, as figure: String) -> Bool {
      let decimals = figure.split(separator: ".").dropFirst().first?.count ?? 0
      return String(format: "%.\(decimals)f", Double(count) / 1e6) == figure
    }
  }

  /// All of them, by family and size.
  package static let entries: [Entry] = {
    do {
      let data = Data(PackageResources.zoo_json)
      return try (JSONSerialization.jsonObject(with: data) as? [Any] ?? []).enumerated().map {
        try entry(NetworkObject($1, "[\($0)]"))
      }
    } catch {
      preconditionFailure("zoo.json: \(error)")
    }
  }()

  /// The network of that name, whatever its case.
  package static func named(_ name: String) -> Entry? {
    entries.first { $0.network.name.lowercased() == name.lowercased() }
  }

  private static func entry(_ json: NetworkObject) throws -> Entry {
    Entry(
      network: try NetworkFile.parse(json, also: ["rule", "flops_m", "params_m", "top1"]),
      rule: try json.text("rule").flatMap { CountingRule(rawValue: $0) } ?? .zoo,
      publishedFlops: try json.text("flops_m"),
      publishedParams: try json.text("params_m"),
      top1: try json.real("top1", above: 0)
    )
  }
}

extension Zoo.Entry {
  /// A network that nobody has published figures of.
  package init(unpublished network: NetworkDescription) {
    self.init(network: network, rule: .zoo, publishedFlops: nil, publishedParams: nil, top1: nil)
  }
}
