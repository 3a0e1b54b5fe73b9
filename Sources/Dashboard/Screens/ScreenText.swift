import Runs

extension RunScreen {
  /// The screens in sentences, a fact a line, each screen under its name; no line depends on its
  /// place among others, so that a screen reader can read them one by one.
  package var text: String {
    var parts: [(String, [String])] = [("status", status.lines)]
    if let choices { parts.append(("choices", choices.enumerated().map { $1.line($0 + 1) })) }
    if let choice { parts.append(("choice", choice.lines)) }
    if let learning { parts.append(("learning", learning.map(\.line))) }
    if let cost { parts.append(("cost", cost.lines)) }
    if let networks { parts.append(("networks", networks.lines)) }
    if let candidates { parts.append(("candidates", candidates.lines)) }
    if let recipe { parts.append(("recipe", recipe.map { "\($0.name): \($0.text)" })) }
    if let log { parts.append(("log", log.body)) }
    if let system { parts.append(("system", system.lines)) }
    return parts.map { name, lines in
      name + "\n" + (lines.isEmpty ? ["nothing yet"] : lines).map { "  \($0)\n" }.joined()
    }.joined()
  }
}

extension StatusScreen {
  fileprivate var lines: [String] {
    var lines = [badge.lowercased() + (message.isEmpty ? "" : ": \(message)")]
    lines.append(
      "step \(step) of \(steps), epoch \(min(epoch + 1, max(1, epochs))) of \(epochs), "
        + "\(Format.percent(progress, digits: 0)) done"
        + (etaSeconds.map { ", \(Format.duration($0)) left" } ?? "")
    )
    if let valAccuracy { lines.append("validation accuracy \(Format.percent(valAccuracy))") }
    if let testAccuracy { lines.append("test accuracy \(Format.percent(testAccuracy))") }
    return lines
  }
}

extension SystemScreen {
  fileprivate var lines: [String] {
    var lines: [String] = []
    if let imagesPerSecond { lines.append("\(Format.grouped(imagesPerSecond)) images a second") }
    if let stepSeconds { lines.append("\(Format.milliseconds(stepSeconds * 1000)) a step") }
    if let operations {
      let shares = operations.map { "\($0.operation) \(Format.percent($0.share, digits: 0))" }
      lines.append("time of a step: " + shares.joined(separator: ", "))
    }
    if let memoryBytes { lines.append("memory \(Format.bytes(memoryBytes))") }
    if let diskFreeBytes { lines.append("\(Format.bytes(diskFreeBytes)) of the disk free") }
    if let etaSeconds { lines.append("\(Format.duration(etaSeconds)) left") }
    if let process { lines.append("process \(process)") }
    return lines
  }
}

extension LogScreen {
  fileprivate var body: [String] {
    lines.map { ($0.level == .info ? "" : "\($0.level.rawValue): ") + $0.text }
      + interventions.map {
        "\($0.text): \($0.state.rawValue)" + ($0.step.map { " at step \($0)" } ?? "")
          + ($0.note.isEmpty ? "" : ", \($0.note)")
      }
      + findings.map { ($0.alarm ? "alarm: " : "noticed: ") + $0.text }
  }
}

/// `k5_e6 91.0%`.
private func share(_ name: String, _ probability: Double) -> String {
  "\(name) \(Format.percent(probability))"
}

extension ChoiceScreen {
  fileprivate func line(_ number: Int) -> String {
    let place = detail.isEmpty ? "" : " (\(detail))"
    let entropy = "\(Format.fixed(entropyBits, 2)) of \(Format.fixed(mostBits, 2)) bits"
    let state =
      (pinned ? ", pinned" : "")
      + (settledSince.map { ", settled since epoch \(Format.epoch($0))" }
        ?? (settled ? ", settled" : ", open"))
    let size = meanSize.map { ", \(Format.fixed($0, 1)) on average" } ?? ""
    let others = options.filter { $0.name != leader }.sorted { $0.probability > $1.probability }
    return "\(number) \(name)\(place): \(share(leader, probability)), \(entropy)\(state)\(size)"
      + (others.isEmpty
        ? "" : "; then " + others.map { share($0.name, $0.probability) }.joined(separator: ", "))
  }
}

extension InspectorScreen {
  fileprivate var lines: [String] {
    var lines = ["\(number) \(name)" + (detail.isEmpty ? "" : " (\(detail))"), reason]
    lines.append("\(Format.fixed(entropyBits, 2)) of \(Format.fixed(mostBits, 2)) bits")
    if let settledSince { lines.append("settled since epoch \(Format.epoch(settledSince))") }
    for option in options.sorted(by: { $0.probability > $1.probability }) {
      var facts = [share(option.name, option.probability)]
      if let first = option.history.first { facts.append("at first \(Format.percent(first))") }
      if let top = option.history.max() { facts.append("at most \(Format.percent(top))") }
      if let flops = option.flops { facts.append("\(Format.count(flops)) FLOPs") }
      if let params = option.params { facts.append("\(Format.count(params)) parameters") }
      if let latency = option.latencyMs { facts.append(Format.milliseconds(latency)) }
      if let pull = option.accuracyPull { facts.append("accuracy pull \(Format.signed(pull))") }
      if let pull = option.costPull { facts.append("cost pull \(Format.signed(pull))") }
      lines.append(facts.joined(separator: ", "))
    }
    return lines
  }
}

extension CurveScreen {
  fileprivate var line: String {
    guard let last, let low, let high else {
      return "\(name): " + (lost > 0 ? "no finite value" : "nothing yet")
    }
    return "\(name): \(Format.number(last)), from \(Format.number(low)) to \(Format.number(high))"
      + (lost > 0 ? ", \(Format.counted(lost, "value")) not finite" : "")
      + (values.count < 2
        ? "" : "; over time " + values.map { Format.number($0) }.joined(separator: " "))
  }
}

extension CostScreen {
  fileprivate var lines: [String] {
    var lines: [String] = []
    if let expected { lines.append("expected \(metric.shortText(expected))") }
    if let budget {
      lines.append(
        "budget \(metric.shortText(budget))"
          + (shareOfBudget.map { ", of which \(Format.percent($0, digits: 0)) are used" } ?? "")
      )
    }
    if let multiplier { lines.append("multiplier of the cost \(Format.number(multiplier))") }
    if let temperature {
      let way = temperatureHeld ? "held by hand" : "scheduled"
      lines.append("temperature \(Format.number(temperature)), \(way)")
    }
    return lines + curves.map(\.line)
  }
}

extension NetworksScreen {
  fileprivate var lines: [String] {
    var lines = ["leading: \(leading.joined(separator: " "))"]
    if let verdict { lines.append(verdict) }
    if let chosen { lines.append("chosen: \(chosen.joined(separator: " "))") }
    for network in derived {
      var facts = [network.blocks.joined(separator: " "), "\(Format.count(network.flops)) FLOPs"]
      if let accuracy = network.accuracy { facts.append("inherited \(Format.percent(accuracy))") }
      if let trained = network.trainedAccuracy {
        facts.append("trained \(Format.percent(trained))")
      }
      if let test = network.top1 { facts.append("test images \(Format.percent(test))") }
      lines.append("\(network.source) \(network.name): " + facts.joined(separator: ", "))
    }
    for each in rankAgreement {
      lines.append(
        "epoch \(Format.epoch(each.epoch)): fixed networks are ranked as before to "
          + "\(Format.fixed(each.overall, 2)), those of equal cost to "
          + Format.fixed(each.withinBands, 2)
      )
    }
    return lines
  }
}

extension CandidatesScreen {
  fileprivate var lines: [String] {
    var lines: [String] = []
    if let best { lines.append("best: candidate \(best)") }
    if let blindAccuracy { lines.append("picked blindly: \(Format.percent(blindAccuracy))") }
    if let held = progress?.held.last {
      lines.append("predictions rank unseen candidates by \(Format.fixed(held.spearman, 2))")
    }
    for trial in candidates {
      var facts = [trial.state.rawValue]
      if let accuracy = trial.accuracies.last {
        facts.append(
          "\(Format.percent(accuracy)) after \(Format.counted(trial.accuracies.count, "epoch"))"
        )
      }
      if let predicted = trial.predicted { facts.append("predicted \(Format.percent(predicted))") }
      facts.append("\(Format.count(trial.flops)) FLOPs")
      facts.append("\(Format.count(trial.params)) parameters")
      if let latency = trial.latency { facts.append(Format.milliseconds(latency)) }
      if !trial.message.isEmpty { facts.append(trial.message) }
      let options = zip(choices, trial.options).map { choice, option in
        choice.options.indices.contains(option)
          ? "\(choice.name) \(choice.options[option].name)" : choice.name
      }
      lines.append(
        "candidate \(trial.number): " + facts.joined(separator: ", ") + "; "
          + options.joined(separator: ", ")
      )
    }
    return lines
  }
}
