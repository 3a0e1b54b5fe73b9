import Data
import Networks
import Runs
import Tensor

/// Architectures and recipes of a joint search as points over one list of choices (FBNetV3; spec
/// S41).
///
/// A setting with one option is no choice. Built from the settings for given data; pure values.
package struct JointSpace: Sendable {
  /// A setting: the place of its choice, and its options.
  struct Setting<Value: Sendable>: Sendable {
    /// Index among the choices; nil for a setting with one option.
    var choice: Int?
    var values: [Value]

    subscript(point: Architecture) -> Value { values[choice.map { point[$0] } ?? 0] }
  }

  /// Blocks of one width.
  struct Stage: Sendable {
    /// Nil for the width of the stage before.
    var width: Setting<Int>?
    var depth: Setting<Int>
    var stride: Int
    var firstKernel: Setting<Int>
    var kernel: Setting<Int>
    var firstExpansion: Setting<Double>
    var expansion: Setting<Double>
    var squeeze: Setting<Bool>
    var activation: Setting<Activation>
  }

  /// The seven axes of the recipe.
  struct RecipeAxes: Sendable {
    var optimiser: Setting<Recipe.Optimiser>
    var learningRate: Setting<Double>?
    var weightDecay: Setting<Double>
    var mixup: Setting<Double>
    var dropout: Setting<Double>
    var dropPath: Setting<Double>
    var ema: Setting<Double>
  }

  /// The choices, in the order of a point's indices, those of the recipe last.
  package let choices: [Choice]
  let resolution: Setting<Int>
  let stem: Setting<Int>
  let stages: [Stage]
  let axes: RecipeAxes
  private let settings: JointConfiguration
  /// Options of each list of an architecture that is not searched.
  private let counts: [Int]
  private let channels: Int
  private let classes: Int
  /// What networks take, where that is asked for.
  private let latency: JointLatency?

  /// Lays out `settings` for images of `channels` and `classes`.
  ///
  /// Where the recipe alone is searched, the architecture is fixed: from the smallest one all sizes
  /// grow in turn, an option at a time, while it keeps the limits. Errors: `.configuration` where
  /// not even the smallest does.
  package static func laidOut(
    _ settings: JointConfiguration,
    channels: Int,
    classes: Int,
    latency: JointLatency? = nil
  ) throws -> JointSpace {
    func space(_ fixed: [Int]) -> JointSpace {
      JointSpace(settings, channels: channels, classes: classes, latency: latency, fixed: fixed)
    }
    var best = space([])
    guard settings.search.algorithm == .recipe else { return best }
    func fits(_ space: JointSpace) -> Bool {
      space.problem.isFeasible(Architecture(space.choices.map { _ in 0 }))
    }
    guard fits(best) else {
      throw UserError(
        .configuration,
        "budget",
        "the smallest architecture of the space is above it",
        remedy: "raise it, or give smaller options"
      )
    }
    var fixed = best.counts.map { _ in 0 }
    var open = Set(fixed.indices)
    while !open.isEmpty {
      for list in open.sorted() {
        fixed[list] += 1
        if fixed[list] < best.counts[list], case let larger = space(fixed), fits(larger) {
          best = larger
        } else {
          fixed[list] -= 1
          open.remove(list)
        }
      }
    }
    return best
  }

  /// The same; `fixed` has the options of an architecture that is not searched, a list each.
  private init(
    _ settings: JointConfiguration,
    channels: Int,
    classes: Int,
    latency: JointLatency?,
    fixed: [Int]
  ) {
    var builder = Builder(algorithm: settings.search.algorithm, fixed: fixed)
    let (space, ranges, recipe) = (settings.space, settings.ranges, settings.recipe)
    resolution = builder.setting(
      "network.resolution",
      .resolution,
      group: "network",
      space.resolutions.isEmpty ? [settings.data.resolution] : space.resolutions
    )
    stem = builder.setting("stem.width", .width, group: "stem", space.stem.widths)
    stages = space.stages.enumerated().map { index, stage in
      let (id, group) = ("stage\(index + 1)", "stage \(index + 1)")
      func name(_ what: String) -> String { "\(id).\(what)" }
      let hasRest = stage.depths.contains { $0 > 1 }
      let rest = stage.expansions.isEmpty ? stage.firstExpansions : stage.expansions
      return Stage(
        width: stage.widths.isEmpty
          ? nil : builder.setting(name("width"), .width, group: group, stage.widths),
        depth: builder.setting(name("depth"), .depth, group: group, stage.depths),
        stride: stage.stride,
        firstKernel: builder.setting(name("first_kernel"), .operator, group: group, stage.kernels) {
          "\($0)x\($0)"
        },
        kernel: builder.setting(
          name("kernel"),
          .operator,
          group: group,
          hasRest ? stage.kernels : [3]
        ) { "\($0)x\($0)" },
        firstExpansion: builder.setting(
          name("first_expansion"),
          .expansion,
          group: group,
          stage.firstExpansions
        ) { $0.shortest },
        expansion: builder.setting(
          name("expansion"),
          .expansion,
          group: group,
          hasRest ? rest : [1]
        ) { $0.shortest },
        squeeze: builder.setting(
          name("squeeze"),
          .operator,
          group: group,
          stage.squeeze.map { $0 == .se }
        ) { $0 ? "se" : "none" },
        activation: builder.setting(
          name("activation"),
          .operator,
          group: group,
          stage.activations.map { Activation($0) }
        ) { $0 == .relu ? "relu" : "hswish" }
      )
    }
    func axis<T: Sendable>(
      _ name: String,
      _ options: [T],
      otherwise: T,
      _ text: (T) -> String
    ) -> Setting<T> {
      builder.setting(
        "recipe." + name,
        .recipe,
        group: "recipe",
        options.isEmpty ? [otherwise] : options,
        isRecipe: true,
        value: otherwise,
        text
      )
    }
    let number = { (value: Double) in value == 0 ? "0" : "\(value)" }
    axes = RecipeAxes(
      optimiser: axis("optimiser", ranges.optimisers, otherwise: recipe.optimiser) { $0.rawValue },
      learningRate: ranges.learningRates.isEmpty || settings.search.algorithm == .architecture
        ? nil : axis("learning_rate", ranges.learningRates, otherwise: 0, number),
      weightDecay: axis("weight_decay", ranges.weightDecays, otherwise: recipe.weightDecay, number),
      mixup: axis("mixup", ranges.mixups, otherwise: recipe.mixup, number),
      dropout: axis("dropout", ranges.dropouts, otherwise: recipe.dropout, number),
      dropPath: axis("drop_path", ranges.dropPaths, otherwise: recipe.dropPath, number),
      ema: axis("ema", ranges.emas, otherwise: recipe.ema, number)
    )
    choices = builder.choices
    counts = builder.counts
    self.settings = settings
    self.channels = channels
    self.classes = classes
    self.latency = latency
  }

  // MARK: Points

  /// The recipe of a point: that of the settings with the options that the point takes.
  ///
  /// The range of learning rates is RMSProp's; SGD has a multiple of it.
  package func recipe(of point: Architecture) -> Recipe {
    var recipe = settings.recipe
    recipe.optimiser = axes.optimiser[point]
    if let rate = axes.learningRate?[point] {
      recipe.learningRate = recipe.optimiser == .sgd ? settings.ranges.sgdFactor * rate : rate
    }
    recipe.weightDecay = axes.weightDecay[point]
    recipe.mixup = axes.mixup[point]
    recipe.dropout = axes.dropout[point]
    recipe.dropPath = axes.dropPath[point]
    recipe.ema = axes.ema[point]
    return recipe
  }

  /// Side of the images of a point, pixels.
  package func resolution(of point: Architecture) -> Int { resolution[point] }

  /// The architecture of a point as a network of its own.
  ///
  /// Squeeze-and-excite is a quarter of the block's input width, made divisible by 8, and the last
  /// batch-norm of a residual block begins at 0, as in the published networks of FBNetV3.
  package func network(of point: Architecture, name: String) -> NetworkDescription {
    let space = settings.space
    let side = resolution[point]
    var network = NetworkDescription(
      name: name,
      height: side,
      width: side,
      channels: channels,
      classes: classes
    )
    network.add(
      .convolution(kernel: 3, padding: nil, activation: Activation(space.stem.activation)),
      output: stem[point],
      stride: space.stem.stride
    )
    for stage in stages {
      let output = stage.width?[point] ?? network.end.channels
      for index in 0..<stage.depth[point] {
        add(stage, at: index, output: output, point, to: &network)
      }
    }
    let activation = Activation(space.head.activation)
    if space.head.expansion > 0 {
      let middle = divisible(
        space.head.expansion * Double(network.end.channels),
        by: space.divisor
      )
      network.add(
        .pool(middle: middle, bias: true, activation: activation),
        output: space.head.width
      )
    } else {
      network.add(
        .convolution(kernel: 1, padding: nil, activation: activation),
        output: space.head.width
      )
    }
    return network
  }

  private func add(
    _ stage: Stage,
    at index: Int,
    output: Int,
    _ point: Architecture,
    to network: inout NetworkDescription
  ) {
    let input = network.end.channels
    let isFirst = index == 0
    let kernel = isFirst ? stage.firstKernel[point] : stage.kernel[point]
    let expansion = isFirst ? stage.firstExpansion[point] : stage.expansion[point]
    let stride = isFirst ? stage.stride : 1
    let activation = stage.activation[point]
    // An expansion of 1 has no 1×1 convolution before the depthwise one.
    let expands = expansion != 1
    network.add(
      .bottleneck(
        BlockDescription.Bottleneck(
          kernels: [kernel],
          middle: expands
            ? divisible(expansion * Double(input), by: settings.space.divisor) : input,
          expands: expands,
          squeeze: stage.squeeze[point]
            ? .init(channels: divisible(Double(input) / 4, by: 8), inner: activation) : nil,
          activation: activation,
          zeroGamma: stride == 1 && input == output
        )
      ),
      output: output,
      stride: stride,
      name: "k\(kernel)_e\(expansion.shortest)" + (stage.squeeze[point] ? "_se" : "")
    )
  }

  /// The point that stands for all that are the same candidate: what no block uses is at its first
  /// option.
  package func canonical(_ point: Architecture) -> Architecture {
    var point = point
    for stage in stages where stage.depth[point] == 1 {
      for choice in [stage.kernel.choice, stage.expansion.choice].compactMap(\.self) {
        point[choice] = 0
      }
    }
    return point
  }

  /// What a point costs; the latency where there is a table.
  package func costs(of point: Architecture) -> (flops: Double, params: Double, latency: Double?) {
    let network = network(of: point, name: "")
    return (network.flops, network.params, latency?.milliseconds(of: network))
  }

  /// The point of the choices of an architecture alone, with the first option of all others.
  func whole(_ architecture: Architecture) -> Architecture {
    Architecture(choices.indices.map { $0 < architecture.options.count ? architecture[$0] : 0 })
  }

  /// What the algorithms of a joint search know of the space.
  package var problem: JointProblem {
    let metrics = CostMetric.allCases.filter { $0 != .latency || latency != nil }
    return JointProblem(
      axes: choices.map { choice in
        JointProblem.Axis(
          count: choice.options.count,
          isOrdered: choice.options.allSatisfy { $0.value != nil },
          isRecipe: choice.kind == .recipe
        )
      },
      metrics: metrics.map(\.rawValue),
      constraints: metrics.enumerated().filter { settings.budget[$0.1] > 0 }
        .map { JointProblem.Constraint(metric: $0.0, most: settings.budget[$0.1]) },
      costs: { point in
        let costs = costs(of: point)
        return [costs.flops, costs.params] + (costs.latency.map { [$0] } ?? [])
      },
      canonical: { canonical($0) }
    )
  }

  /// Numbers the choices as they come.
  private struct Builder {
    var algorithm: JointConfiguration.Search.Algorithm
    var fixed: [Int]
    var counts: [Int] = []
    var choices: [Choice] = []

    /// A setting of `options`; where the algorithm does not search such a setting, of one of them:
    /// that of the settings, or the one that is fixed for its list.
    mutating func setting<Value: Sendable>(
      _ id: String,
      _ kind: Choice.Kind,
      group: String,
      _ options: [Value],
      isRecipe: Bool = false,
      value: Value? = nil,
      _ text: (Value) -> String
    ) -> Setting<Value> {
      if algorithm == (isRecipe ? .architecture : .recipe) {
        if let value { return Setting(choice: nil, values: [value]) }
        counts.append(options.count)
        let option = fixed.isEmpty ? 0 : fixed[counts.count - 1]
        return Setting(choice: nil, values: [options[option]])
      }
      guard options.count > 1 else { return Setting(choice: nil, values: options) }
      let parts = id.split(separator: ".")
      choices.append(
        Choice(
          id: id,
          name: (["network", "recipe"].contains(group) ? "" : group + " ")
            + (parts.last ?? "").replacing("_", with: " "),
          detail: "",
          kind: kind,
          group: group,
          options: options.map {
            Choice.Option(name: text($0), value: ($0 as? Double) ?? ($0 as? Int).map(Double.init))
          }
        )
      )
      return Setting(choice: choices.count - 1, values: options)
    }

    /// The same of whole numbers.
    mutating func setting(
      _ id: String,
      _ kind: Choice.Kind,
      group: String,
      _ options: [Int]
    ) -> Setting<Int> {
      setting(id, kind, group: group, options) { "\($0)" }
    }
  }
}
