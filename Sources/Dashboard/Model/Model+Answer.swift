import Foundation
import Runs

/// A text that a person has copied, and where it went.
struct Copied: Hashable, Sendable {
  /// How the terminal got it.
  enum Way: Sendable { case sent, tooLong, off }

  var bytes: Int
  var way: Way
  /// The file that has it too.
  var file: String?
  /// Why there is none.
  var problem: String?

  /// What became of it; nobody knows whether a terminal has taken it, so nothing else is claimed.
  var message: String {
    let size = Format.counted(bytes, "byte")
    let sent =
      switch way {
      case .sent: "sent \(size) to the terminal's clipboard (OSC 52)"
      case .tooLong:
        "\(size) are more than a terminal's clipboard takes (\(EscapeSequence.mostCopied))"
      case .off: "nothing was sent to the terminal's clipboard (SUPERTOP_CLIPBOARD=off)"
      }
    if let file {
      return sent + (way == .sent ? "; if it did not arrive, see \(file)" : "; see \(file)")
    }
    return problem.map { sent + "; no file has it: \($0)" } ?? sent
  }
}

/// The network that a search would end with now, as it is copied.
private struct NetworkAnswer: Encodable {
  struct Taken: Encodable {
    var layer: String
    var choice: String
    var probability: Double
  }

  var event = "network"
  var run: String
  var step: Int
  var architecture: [Taken]
}

extension Model {
  /// What `y` copies: the chosen candidate, the chosen choice in the inspector, the chosen one of
  /// the networks, the result, or the most probable network; nil before there is any.
  var answer: String? {
    if kind == .joint, overlay != .result, let candidate {
      return try? JSONText.encode(candidate)
    }
    if screen == .inspector, kind.hasChoices, choices.indices.contains(selection) {
      return optionLine(of: selection)
    }
    let listed = isShowingNetworks && overlay != .result ? chosenNetwork : nil
    if let result, listed == nil { return try? result.json() }
    guard kind == .search, !choices.isEmpty else { return nil }
    let taken = choices.indices.map { index in
      let (choice, values) = (choices[index], probabilities(of: index))
      let name = listed.flatMap { $0.blocks.indices.contains(index) ? $0.blocks[index] : nil }
      let option = choice.options.firstIndex { $0.name == name } ?? leader(of: index)
      return NetworkAnswer.Taken(
        layer: choice.name,
        choice: choice.options.indices.contains(option) ? choice.options[option].name : "",
        probability: values.indices.contains(option) ? Double(values[option]) : 0
      )
    }
    return try? JSONText.encode(
      NetworkAnswer(run: summary?.name ?? "", step: status?.step ?? 0, architecture: taken)
    )
  }

  /// The leader of a choice, with what it costs, in a line.
  private func optionLine(of index: Int) -> String {
    let (choice, option) = (choices[index], leader(of: index))
    guard choice.options.indices.contains(option) else { return choice.name.printable() }
    var parts = ["\(choice.name): \(choice.options[option].name)"]
    parts.append("probability \(Format.precise(Double(probabilities(of: index)[option])))")
    let costs = prices[choice.id]
    func add(_ values: [Double]?, _ unit: String) {
      if let value = price(values, option) { parts.append("\(Format.precise(value)) \(unit)") }
    }
    add(costs?.flops, "FLOPs")
    add(costs?.params, "parameters")
    add(costs?.latency, "ms")
    return parts.joined(separator: ", ").printable()
  }

  /// What somebody who looks elsewhere is told of the run's end.
  var endNotice: String {
    let name = "supertop: \(summary?.name ?? "the run")"
    if isTrainerGone { return "\(name): the training process is gone" }
    switch state {
    case .failed: return "\(name) failed: \(status?.message ?? "")"
    default:
      let accuracy = testAccuracy.map { ", \(Format.percent($0)) of the test images" } ?? ""
      return "\(name) is finished\(accuracy)"
    }
  }
}
