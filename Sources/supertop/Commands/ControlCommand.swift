import ArgumentParser
import Foundation
import Runs

/// `supertop control RUN name=value`: steers a run that trains in another process (spec S82).
struct ControlCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "control",
    abstract: "Steer a run that trains in another process, or list what can be steered.",
    discussion: """
      Each request is recorded in the run with the step at which it acts, or with the reason for \
      which it is refused, and the command waits for that answer. Without a request it lists the \
      controls of the run.

        supertop control runs/digits-1 pause
        supertop control runs/digits-1 temperature=2 pin=layer3:k5_e6
      """
  )

  @Argument(help: ArgumentHelp("Folder of the run.", valueName: "run"), completion: .directory)
  var path: String

  @Argument(help: ArgumentHelp("Requests, such as pause or budget=150k.", valueName: "name=value"))
  var requests: [String] = []

  @Option(help: ArgumentHelp("Wait so long for the answers.", valueName: "seconds"))
  var wait = 10.0

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Answer: Encodable {
    var control: String
    var state: String
    var step: Int?
    var note: String
  }

  private struct Report: Encodable {
    var event = "control"
    var run: String
    var requests: [Answer]
  }

  private struct Entry: Encodable {
    var name: String
    var form: String
    var range: String
    var takesEffect: String
    var changesTraining: Bool
    var meaning: String

    enum CodingKeys: String, CodingKey {
      case name, form, range, meaning
      case takesEffect = "takes_effect"
      case changesTraining = "changes_training"
    }
  }

  private struct Listing: Encodable {
    var event = "controls"
    var run: String
    var controls: [Entry]
  }

  func run() throws {
    guard (0...86_400).contains(wait) else {
      throw UserError(.usage, "--wait \(wait)", "not a time", remedy: "give seconds, such as 10")
    }
    let folder = try RunFolder.open(path: path)
    let kind = try folder.settings().kind
    guard !requests.isEmpty else { return try list(folder, kind) }
    if let refusal = SteeringClaim.refusal() {
      throw UserError(
        .unavailable,
        path,
        "nothing can be asked for, \(refusal)",
        remedy: "unset SUPERTOP_READ_ONLY to steer"
      )
    }
    let reader = try folder.reader()
    let choices = try reader.choices()
    let actions = try requests.map { try Control.action($0, kind: kind, choices: choices) }
    guard folder.trainer() != nil else {
      throw UserError(
        .unavailable,
        path,
        try reader.result() == nil ? "no training is going on in this run" : "the run is finished",
        remedy: "continue it with supertop resume \(path)"
      )
    }
    let asked = try actions.map { try reader.request($0) }
    let end = Date().addingTimeInterval(wait)
    var answers = asked
    while answers.contains(where: { $0.state == .requested || $0.state == .accepted }),
      Date() < end, folder.trainer() != nil
    {
      Thread.sleep(forTimeInterval: 0.02)
      answers = try answered(asked, reader)
    }
    answers = try answered(asked, reader)
    try show(answers, folder)
  }

  private func answered(_ asked: [Intervention], _ reader: RunReader) throws -> [Intervention] {
    guard let first = asked.first else { return [] }
    let known = try reader.interventions(after: first.id - 1)
    return asked.map { request in known.first { $0.id == request.id } ?? request }
  }

  private func show(_ answers: [Intervention], _ folder: RunFolder) throws {
    if json {
      try Output().json(
        Report(
          run: folder.absolutePath,
          requests: zip(requests, answers).map {
            Answer(control: $0, state: $1.state.rawValue, step: $1.step, note: $1.note)
          }
        )
      )
    } else {
      for (text, answer) in zip(requests, answers) {
        let at = answer.step.map { " at step \($0)" } ?? ""
        Output().line(
          "\(text): \(answer.state.rawValue)\(at)" + (answer.note.isEmpty ? "" : ", \(answer.note)")
        )
      }
    }
    if let (text, refused) = zip(requests, answers).first(where: { $0.1.state == .refused }) {
      throw UserError(
        .data,
        text,
        "refused: \(refused.note)",
        remedy: "supertop control \(path) lists what can be asked for"
      )
    }
    if answers.contains(where: { $0.state == .requested }) {
      throw UserError(
        .unavailable,
        path,
        "the trainer has not answered in \(Format.number(wait)) s",
        remedy: "the request is kept; see the log in supertop watch \(path)"
      )
    }
  }

  private func list(_ folder: RunFolder, _ kind: RunKind) throws {
    let controls = Control.all(of: kind)
    if json {
      return try Output().json(
        Listing(
          run: folder.absolutePath,
          controls: controls.map {
            Entry(
              name: $0.name,
              form: $0.form,
              range: $0.range,
              takesEffect: $0.timing.rawValue,
              changesTraining: $0.changesTraining,
              meaning: $0.meaning
            )
          }
        )
      )
    }
    let rows =
      [["control", "range", "takes effect", ""]]
      + controls.map { [$0.form, $0.range, $0.timing.rawValue, $0.meaning] }
    Output().text(TextTable.aligned(rows, left: [0, 1, 2, 3]))
  }
}
