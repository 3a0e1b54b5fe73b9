import Runs

extension Model {
  /// The controls of the run whose names begin as `text` does, those that only hold it behind them.
  func controls(matching text: String) -> [Control] {
    let end = text.firstIndex { $0 == "=" || $0 == " " } ?? text.endIndex
    let word = text[..<end].lowercased()
    let all = Control.all(of: kind)
    // Once a value is being typed there is one control to speak of.
    if end < text.endIndex { return all.filter { $0.name == word } }
    return all.filter { $0.name.hasPrefix(word) }
      + all.filter { !$0.name.hasPrefix(word) && $0.name.contains(word) }
  }

  /// What a control's text may be completed to: its name; then a choice, and an option of it.
  func completions(of text: String) -> [String] {
    guard let separator = text.firstIndex(where: { $0 == "=" || $0 == " " }) else {
      return controls(matching: text).map { $0.name + ($0.argument.form.isEmpty ? "" : "=") }
    }
    guard let control = controls(matching: text).first,
      control.argument == .choice || control.argument == .option
    else { return [] }
    func plain(_ name: String) -> String { name.replacing(" ", with: "") }
    let value = text[text.index(after: separator)...]
    guard let colon = value.lastIndex(of: ":") else {
      let ending = control.argument == .option ? ":" : ""
      return choices.map { plain($0.name) }.filter { $0.lowercased().hasPrefix(value.lowercased()) }
        .map { "\(control.name)=\($0)\(ending)" }
    }
    let name = value[..<colon]
    let start = value[value.index(after: colon)...].lowercased()
    return choices.filter { plain($0.name).lowercased() == plain(String(name)).lowercased() }
      .flatMap(\.options).map(\.name).filter { $0.lowercased().hasPrefix(start) }
      .map { "\(control.name)=\(name):\($0)" }
  }
}
