import Foundation

/// What the terminal is asked and told besides frames.
extension Terminal {
  /// Most seconds that a question may stay without an answer.
  private static let patience = 1.0

  /// What was last said to the tab, and when.
  struct Said {
    var progress: TabProgress?
    var time: Double
  }

  private var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Asks for the colour of the ground, unless it never answered.
  func ask() {
    guard asks, askedAt == nil, colourDepth >= .palette else { return }
    askedAt = now
    sendRaw(EscapeSequence.question)
  }

  /// Whether answers are still to come.
  var isAsking: Bool { askedAt.map { now - $0 < Self.patience } ?? false }

  /// Takes note of the answer that is the last.
  func note(_ events: [Event]) {
    let isAnswered = events.contains { event in
      if case .reply(.attributes) = event { true } else { false }
    }
    if isAnswered { askedAt = nil }
  }

  /// Waits for the answers: what came after the end would be typed into the shell.
  func awaitAnswers() {
    while isTaken, isAsking {
      if !waitForAnswers() { return }
      note(keyboard())
    }
  }

  /// Shows progress in the tab: what has changed at once, the same every few seconds, for it fades.
  func say(_ progress: TabProgress?) {
    guard features.progress, isTaken else { return }
    let isNews = said.map { $0.progress != progress } ?? (progress != nil)
    let isOld = progress != nil && said.map { now - $0.time >= 5 } ?? true
    guard isNews || isOld else { return }
    said = Said(progress: progress, time: now)
    send(EscapeSequence.progress(progress))
  }

  /// Sends a text to the terminal's clipboard, and says by which way it went.
  func copy(_ text: String) -> Copied.Way {
    guard features.clipboard else { return .off }
    guard text.utf8.count <= EscapeSequence.mostCopied else { return .tooLong }
    let sequence = EscapeSequence.copy(text)
    // As it is set up, tmux takes the one or lets the other through.
    if features.multiplexer == .tmux { sendRaw(sequence) }
    send(sequence)
    return .sent
  }

  /// Tells somebody who looks elsewhere.
  func tell(_ text: String) {
    guard let way = features.notice else { return }
    let sequence = EscapeSequence.notice(text, by: way)
    // Each multiplexer has a bell of its own.
    if way == .bell { sendRaw(sequence) } else { send(sequence) }
  }

  /// Takes the mouse, or leaves it to the terminal.
  func setMouse(_ isOurs: Bool) { takeMouse(isOurs) }

  /// Sends what is for the terminal around a multiplexer.
  private func send(_ sequence: String) {
    sendRaw(EscapeSequence.passed(sequence, through: features.multiplexer))
  }

  /// What is sent whenever the terminal is given back.
  var farewell: String {
    guard features.progress else { return "" }
    return EscapeSequence.passed(EscapeSequence.progress(nil), through: features.multiplexer)
  }
}
