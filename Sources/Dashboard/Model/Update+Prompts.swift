import Foundation
import Runs

/// What a key does to the text that is being typed.
func type(
  _ model: inout Model,
  _ key: Key,
  _ prompt: Model.Prompt,
  _ text: String
) -> [Effect] {
  switch key {
  case .escape: model.overlay = nil
  case .backspace, .delete, .character("\u{7f}"), .character("\u{08}"):
    model.overlay = .prompt(prompt, text: String(text.dropLast()), error: "")
  case .enter where prompt == .limit:
    guard let limit = Control.limit(text) else {
      model.overlay = .prompt(
        prompt,
        text: text,
        error: "write it like flops 150k or params 9k"
      )
      return []
    }
    model.overlay = nil
    return request(&model, .setLimit(metric: limit.metric, limit.most))
  case .enter where prompt == .control:
    do {
      let action = try Control.action(text, kind: model.kind, choices: model.choices)
      model.overlay = nil
      return request(&model, action)
    } catch let error as UserError {
      model.overlay = .prompt(prompt, text: text, error: "\(error.problem); \(error.remedy)")
    } catch {
      model.overlay = .prompt(prompt, text: text, error: "\(error)")
    }
  case .enter where prompt == .branch:
    model.overlay = nil
    model.message = .notice("branching …")
    return [.branch(model.cursor, text.split(separator: " ").map(String.init))]
  case .tab where prompt == .control:
    if let first = model.completions(of: text).first {
      model.overlay = .prompt(prompt, text: first, error: "")
    }
  case .enter:
    let value = Double(text.replacingOccurrences(of: ",", with: "."))
    guard let value, value.isFinite, value >= 0.001, value <= 1000 else {
      model.overlay = .prompt(
        prompt,
        text: text,
        error: text.isEmpty ? "type a number" : "not a number from 0.001 to 1000"
      )
      return []
    }
    model.overlay = nil
    return request(&model, .setTemperature(value))
  case .character(let scalar)
  where scalar.isASCII && scalar.value >= 0x20
    && text.count < (prompt == .control || prompt == .branch ? 120 : 16):
    model.overlay = .prompt(prompt, text: text + String(scalar), error: "")
  default: break
  }
  return []
}

/// A paste is text where text is asked for; elsewhere its letters are no keys.
func paste(_ model: inout Model, _ text: String) {
  for scalar in text.trimmingCharacters(in: .whitespaces).unicodeScalars {
    guard case .prompt(let prompt, let typed, _) = model.overlay, !model.isStopping else { return }
    _ = type(&model, .character(scalar), prompt, typed)
  }
}
