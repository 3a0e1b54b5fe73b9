import Runs

/// The choices of a simulated run: today's blocks, and what later searches will bring.
enum SimulatedSpace {
  /// Nine blocks a layer, each with its price.
  case blocks
  /// Sixteen widths a layer, which have no prices of their own.
  case widths
  /// Layers whose options differ, in number and in kind.
  case mixed
  /// Eighty choices of all kinds.
  case many

  static let candidates: [(name: String, flops: Double, params: Double)] = [
    ("k3_e1", 41_000, 1_100), ("k3_e1_g2", 28_000, 760), ("k3_e3", 118_000, 3_200),
    ("k3_e6", 233_000, 6_300), ("k5_e1", 49_000, 1_480), ("k5_e1_g2", 36_000, 1_140),
    ("k5_e3", 142_000, 4_340), ("k5_e6", 281_000, 8_580), ("skip", 0, 0),
  ]

  func choices(_ layers: Int) -> [Choice] {
    switch self {
    case .blocks: (0..<layers).map { Self.layer($0, of: layers, Self.candidates.map(\.name)) }
    case .widths:
      (0..<layers).map { layer in
        Self.sizes(
          .width,
          "layer \(layer + 1)",
          "\(16 >> (layer / 3))x\(16 >> (layer / 3))",
          group: "stage \(layer / 3 + 1)",
          (2..<18).map { Double($0 * 8) }
        )
      }
    case .mixed:
      (0..<layers).map { layer in
        switch layer % 4 {
        case 0: Self.layer(layer, of: layers, ["k3_e1", "k5_e1", "skip"])
        case 1: Self.layer(layer, of: layers, Self.candidates.map(\.name))
        case 2:
          Self.sizes(.width, "layer \(layer)", "16x16", group: "stage 1", [16, 24, 32, 40, 48])
        default: Self.sizes(.expansion, "layer \(layer - 1)", "16x16", group: "stage 1", [1, 3, 6])
        }
      }
    case .many:
      [Self.sizes(.resolution, "input", "", group: "input", [96, 128, 160, 192, 224])]
        + (0..<26).flatMap { layer in
          let (name, group) = ("layer \(layer + 1)", "stage \(layer / 4 + 1)")
          let side = 112 >> (layer / 6)
          var block = Self.layer(layer, of: 26, Self.candidates.map(\.name))
          block.detail = "\(side)x\(side)"
          block.group = group
          return [
            block,
            Self.sizes(
              .width,
              name,
              "\(side)x\(side)",
              group: group,
              (0..<14).map { Double(16 + 8 * (layer + $0)) }
            ), Self.sizes(.expansion, name, "\(side)x\(side)", group: group, [1, 3, 4.5, 6]),
          ]
        } + [Self.sizes(.width, "head", "7x7", group: "head", [960, 1280, 1504, 1984])]
    }
  }

  private static func layer(_ layer: Int, of layers: Int, _ blocks: [String]) -> Choice {
    let side = 16 >> (layer * 3 / max(1, layers))
    let width = 16 + layer / 2 * 8
    return Choice(
      id: "layer\(layer + 1).operator",
      name: "layer \(layer + 1)",
      detail: "\(side)x\(side) \(width)→\(width + (layer % 2) * 8)"
        + (layer % 3 == 0 ? " s2" : ""),
      group: "stage \(layer / 3 + 1)",
      options: blocks.map { .init(name: $0) }
    )
  }

  private static func sizes(
    _ kind: Choice.Kind,
    _ name: String,
    _ detail: String,
    group: String,
    _ values: [Double]
  ) -> Choice {
    Choice(
      id: name.replacing(" ", with: "") + "." + kind.rawValue,
      name: "\(name) \(kind.rawValue)",
      detail: detail,
      kind: kind,
      group: group,
      options: values.map {
        .init(name: $0 == $0.rounded() ? String(Int($0)) : String($0), value: $0)
      }
    )
  }

  /// The prices of blocks; with `unit`, milliseconds of a FLOP, also their latencies.
  static func prices(_ choices: [Choice], unit: Double?) -> [ChoicePrices] {
    choices.indices.map { layer in
      let side = 16 >> (layer * 3 / max(1, choices.count))
      let width = 16 + layer / 2 * 8
      let scale = Double(width * width * side * side) / 65_536
      return ChoicePrices(
        choice: choices[layer].id,
        flops: candidates.map { $0.flops * scale },
        params: candidates.map { $0.params * scale },
        latency: unit.map { unit in candidates.map { $0.flops * scale * unit } }
      )
    }
  }
}
