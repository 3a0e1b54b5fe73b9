/// What people can ask of a run: the one table behind keys, command line, help and checks (spec
/// S82).
package struct Control: Sendable {
  /// What follows a control's name.
  package enum Argument: Sendable, Equatable {
    case none
    /// A number; `unit` says of what.
    case number(ClosedRange<Double>, unit: String)
    /// A whole number.
    case whole(ClosedRange<Int>, unit: String)
    /// A choice by its name or identity: `layer3`.
    case choice
    /// A choice and one of its options: `layer3:k5_e6`.
    case option
    /// A metric and the most that it may be: `flops<=150k`.
    case limit
    /// An option of each choice, by their numbers from 0: `0,2,1`.
    case options

    /// How it is written, after the equals sign; empty for none.
    package var form: String {
      switch self {
      case .none: ""
      case .number: "NUMBER"
      case .whole: "N"
      case .choice: "CHOICE"
      case .option: "CHOICE:OPTION"
      case .limit: "METRIC<=NUMBER"
      case .options: "N,N,…"
      }
    }
  }

  /// When it takes effect.
  package enum Timing: String, Sendable, CaseIterable, Codable {
    /// As soon as the trainer sees it.
    case now
    /// From the next training step on.
    case nextStep = "next step"
    /// From the next round of a joint search on.
    case nextRound = "next round"
  }

  /// Temperatures that a person may set; outside, the softmax says nothing or overflows.
  package static let temperatures = 0.001...1000.0

  /// What it is called.
  package let name: String
  /// What follows the name.
  package let argument: Argument
  /// When it takes effect.
  package let timing: Timing
  /// The runs that have it.
  package let kinds: Set<RunKind>
  /// For people, in a line.
  package let meaning: String
  private let make: @Sendable (Value) -> Intervention.Action

  /// An argument that was understood.
  fileprivate enum Value {
    case none, number(Double), whole(Int), choice(Int), option(Int, Int)
    case limit(CostMetric, Double), options([Int])
  }

  /// Whether it changes the numbers of the training, so that a replay repeats it.
  package var changesTraining: Bool { timing != .now }

  private static let supernets: Set<RunKind> = [.search, .random]
  private static let stepped: Set<RunKind> = [.search, .random, .training]
  private static let every = Set(RunKind.allCases)
  private static let factors = 0.0...1000.0

  private init(
    _ name: String,
    _ argument: Argument = .none,
    _ timing: Timing,
    _ kinds: Set<RunKind>,
    _ meaning: String,
    _ make: @escaping @Sendable (Value) -> Intervention.Action
  ) {
    self.name = name
    self.argument = argument
    self.timing = timing
    self.kinds = kinds
    self.meaning = meaning
    self.make = make
  }

  private init(
    _ name: String,
    _ timing: Timing,
    _ kinds: Set<RunKind>,
    _ meaning: String,
    _ action: Intervention.Action
  ) {
    self.init(name, .none, timing, kinds, meaning) { _ in action }
  }

  private static func number(
    _ name: String,
    _ range: ClosedRange<Double>,
    unit: String = "",
    _ kinds: Set<RunKind>,
    _ meaning: String,
    _ make: @escaping @Sendable (Double) -> Intervention.Action
  ) -> Control {
    Control(name, .number(range, unit: unit), .nextStep, kinds, meaning) {
      if case .number(let value) = $0 { make(value) } else { .pause }
    }
  }

  private static func whole(
    _ name: String,
    _ range: ClosedRange<Int>,
    unit: String,
    _ timing: Timing,
    _ kinds: Set<RunKind>,
    _ meaning: String,
    _ make: @escaping @Sendable (Int) -> Intervention.Action
  ) -> Control {
    Control(name, .whole(range, unit: unit), timing, kinds, meaning) {
      if case .whole(let value) = $0 { make(value) } else { .pause }
    }
  }

  private static func option(
    _ name: String,
    _ meaning: String,
    _ make: @escaping @Sendable (Int, Int) -> Intervention.Action
  ) -> Control {
    Control(name, .option, .nextStep, supernets, meaning) {
      if case .option(let choice, let option) = $0 { make(choice, option) } else { .pause }
    }
  }

  /// Every control, in the order of the help.
  package static let all: [Control] = [
    Control("pause", .now, every, "Pause after the present step.", .pause),
    Control("resume", .now, every, "Go on.", .resume),
    Control("step", .now, stepped, "Do one step, then pause.", .singleStep),
    whole(
      "run-to",
      1...1_000_000,
      unit: "epochs",
      .now,
      stepped,
      "Go on and pause when so many epochs have ended."
    ) { .runToEpoch($0) },
    number("temperature", temperatures, supernets, "Hold the temperature at a value.") {
      .setTemperature($0)
    },
    number("temperature-factor", 1e-6...1e6, supernets, "Multiply the temperature and hold it.") {
      .scaleTemperature($0)
    },
    Control("hold", .nextStep, supernets, "Hold the present temperature.", .holdTemperature),
    Control(
      "release",
      .nextStep,
      supernets,
      "Give the temperature back to its schedule.",
      .releaseTemperature
    ),
    option("pin", "Bind a choice to one of its options.") { .pinChoice(choice: $0, option: $1) },
    Control("unpin", .choice, .nextStep, supernets, "Let a pinned choice be free again.") {
      if case .choice(let choice) = $0 { .unpinChoice(choice) } else { .pause }
    },
    option("ban", "Take an option out of the search.") { .banOption(choice: $0, option: $1) },
    option("unban", "Let a banned option take part again.") {
      .allowOption(choice: $0, option: $1)
    },
    number("cost-weight", 0...1e9, [.search], "Set the weight of the cost (loss.alpha).") {
      .setCostWeight($0)
    },
    number(
      "budget",
      1e-9...1e15,
      unit: "of the cost's unit",
      supernets,
      "Set what a network may cost; 150k, 2M and the like will do."
    ) { .setBudget($0) },
    number("weights-rate", factors, stepped, "Multiply the learning rate of the weights.") {
      .setRate(.weights, $0)
    },
    number("theta-rate", factors, [.search], "Multiply the learning rate of θ.") {
      .setRate(.theta, $0)
    },
    Control("undo", .nextStep, stepped, "Take the last change of the training back.", .undo),
    Control("checkpoint", .now, every, "Write a checkpoint.", .checkpoint),
    whole(
      "sample",
      1...100,
      unit: "networks",
      .now,
      [.search],
      "Sample networks from θ and evaluate them, for the screen of networks."
    ) { .sampleNetworks($0) },
    whole(
      "derive",
      1...100,
      unit: "networks",
      .now,
      [.search],
      "Evaluate the most probable network within the budget, its scalings, sampled ones."
    ) { .deriveNetworks($0) },
    whole("stop-candidate", 1...1_000_000, unit: "", .now, [.joint], "Stop a candidate.") {
      .stopCandidate($0)
    },
    Control("add-candidate", .options, .nextRound, [.joint], "Train one more candidate.") {
      if case .options(let options) = $0 { .addCandidate(options) } else { .pause }
    },
    Control("limit", .limit, .nextRound, [.joint], "Limit a cost; 0 lifts the limit.") {
      if case .limit(let metric, let most) = $0 {
        .setLimit(metric: metric, most)
      } else {
        .pause
      }
    },
    Control(
      "fine-stage",
      .nextRound,
      [.joint],
      "Begin the fine stage after the present round.",
      .startFineStage
    ),
    Control("stop", .now, every, "Write a checkpoint and end; resume continues.", .stop),
  ]

  /// The controls of a kind of run.
  package static func all(of kind: RunKind) -> [Control] { all.filter { $0.kinds.contains(kind) } }

  /// How it is written: `pin=CHOICE:OPTION`.
  package var form: String { argument.form.isEmpty ? name : "\(name)=\(argument.form)" }

  /// What may follow the name, for people; empty where nothing does.
  package var range: String {
    switch argument {
    case .number(let range, let unit):
      "\(Format.number(range.lowerBound)) to \(Format.number(range.upperBound))"
        + (unit.isEmpty ? "" : " " + unit)
    case .whole(let range, let unit):
      "\(range.lowerBound) to \(range.upperBound)" + (unit.isEmpty ? "" : " " + unit)
    case .none, .choice, .option, .limit, .options: ""
    }
  }

  // MARK: Understanding

  /// The action that `text` asks for: `pause`, `temperature=2`, `pin=layer3:k5_e6`.
  ///
  /// Errors: `.usage` naming what is wrong and what there is.
  package static func action(
    _ text: String,
    kind: RunKind,
    choices: [Choice]
  ) throws -> Intervention.Action {
    let text = text.trimmingWhitespace()
    // A space will do in place of the equals sign, as people type it.
    let separator = text.firstIndex { $0 == "=" || $0 == " " }
    let name = separator.map { String(text[..<$0]) } ?? text
    let rest = separator.map { String(text[text.index(after: $0)...]).trimmingWhitespace() } ?? ""
    guard let control = all.first(where: { $0.name == name }) else {
      throw UserError(
        .usage,
        name.isEmpty ? "control" : name,
        "no control of that name",
        remedy: "there are " + all(of: kind).map(\.name).joined(separator: ", ")
      )
    }
    guard control.kinds.contains(kind) else {
      throw UserError(
        .usage,
        name,
        "\(kind.article) has no such control",
        remedy: "there are " + all(of: kind).map(\.name).joined(separator: ", ")
      )
    }
    return control.make(try control.value(rest, choices))
  }

  private func value(_ text: String, _ choices: [Choice]) throws -> Value {
    func fault(_ problem: String, _ remedy: String) -> UserError {
      UserError(.usage, text.isEmpty ? name : "\(name)=\(text)", problem, remedy: remedy)
    }
    switch argument {
    case .none:
      guard text.isEmpty else { throw fault("it takes no value", "leave the value out") }
      return .none
    case .number(let range, _):
      guard let value = Control.number(text), range.contains(value) else {
        throw fault("not a number from \(self.range)", "write \(form)")
      }
      return .number(value)
    case .whole(let range, _):
      guard let value = Int(text), range.contains(value) else {
        throw fault("not a whole number from \(self.range)", "write \(form)")
      }
      return .whole(value)
    case .choice: return .choice(try Control.choice(text, choices, fault))
    case .option:
      guard let colon = text.lastIndex(of: ":") else {
        throw fault("which option?", "write \(form), such as \(Control.example(choices))")
      }
      let choice = try Control.choice(String(text[..<colon]), choices, fault)
      let wanted = text[text.index(after: colon)...].trimmingWhitespace().lowercased()
      let options = choices[choice].options.map(\.name)
      guard let option = options.firstIndex(where: { $0.lowercased() == wanted }) else {
        throw fault(
          "\(choices[choice].name) has no such option",
          "there are " + options.joined(separator: ", ")
        )
      }
      return .option(choice, option)
    case .limit:
      guard let limit = Control.limit(text) else {
        throw fault("no limit", "write it like flops<=150k, params<=9k or latency<=0.5")
      }
      return .limit(limit.metric, limit.most)
    case .options:
      let options = text.split(separator: ",").map { Int($0.trimmingWhitespace()) }
      guard !options.isEmpty, options.allSatisfy({ $0 != nil }) else {
        throw fault("not a list of numbers", "write \(form), an option of each choice")
      }
      return .options(options.compactMap(\.self))
    }
  }

  /// `layer3:k3_e6` of the first choice.
  private static func example(_ choices: [Choice]) -> String {
    choices.first.map { "\($0.name.replacing(" ", with: "")):\($0.options.first?.name ?? "")" }
      ?? "layer3:k3_e6"
  }

  /// The place of the choice that `text` names by identity or name, whatever its spaces and case;
  /// throws what `fault` makes of a problem and a remedy.
  package static func choice(
    _ text: String,
    _ choices: [Choice],
    _ fault: (String, String) -> UserError
  ) throws -> Int {
    func plain(_ name: String) -> String {
      name.lowercased().filter { !$0.isWhitespace && $0 != "_" }
    }
    let wanted = plain(text)
    let found = choices.firstIndex { plain($0.id) == wanted || plain($0.name) == wanted }
    guard let found else {
      throw fault(
        "no choice '\(text)'",
        choices.isEmpty
          ? "the run has no choices yet"
          : "there are " + choices.prefix(4).map(\.name).joined(separator: ", ")
            + (choices.count > 4 ? " to \(choices[choices.count - 1].name)" : "")
      )
    }
    return found
  }

  /// A number as people type it: `0.25`, `1,5`, `150k`, `2M`.
  package static func number(_ text: String) -> Double? {
    var digits = text.replacing(",", with: ".")
    let factors: [Character: Double] = ["k": 1e3, "m": 1e6, "g": 1e9]
    let factor = digits.last.flatMap { factors[Character($0.lowercased())] }
    if factor != nil { digits.removeLast() }
    guard let value = Double(digits), value.isFinite else { return nil }
    return value * (factor ?? 1)
  }

  /// A limit as people type it: `flops 150k`, `params<=9K`, `latency 0.5`, `200k` for FLOPs, `flops
  /// 0` for none.
  package static func limit(_ text: String) -> (metric: CostMetric, most: Double)? {
    let words = text.lowercased().replacing("<=", with: " ").replacing("=", with: " ")
      .split(separator: " ").map(String.init)
    guard let last = words.last, words.count <= 2 else { return nil }
    let metric: CostMetric? = words.count == 1 ? .flops : CostMetric(rawValue: words[0])
    guard let metric, let most = number(last), most >= 0 else { return nil }
    return (metric, most)
  }
}

extension RunKind {
  /// `a search`, `a training`.
  package var article: String { "a \(noun)" }
}

extension StringProtocol {
  /// Without white space at both ends.
  fileprivate func trimmingWhitespace() -> String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
