import ArgumentParser
import Foundation
import Runs

/// Shows how far a long piece of work has come, and ends it at a signal.
final class WorkTicker {
  private let ticker = Ticker()
  private let output = Output(descriptor: STDERR_FILENO)
  private let signals = Signals { _ in }
  private let start = Date()
  private var lastLine = Date()

  /// Seconds between two lines where there is no terminal.
  private static let interval = 5.0

  /// What a person has to know who ends the work.
  private let remedy: String

  init(remedy: String = "") {
    self.remedy = remedy
  }

  /// Reports the state; throws the exit code of a signal that has come.
  func show(_ share: Double, _ what: String, secondsLeft: Double? = nil) throws {
    if let signal = signals.received {
      ticker.clear()
      output.line("supertop: stopped at \(Int(100 * share)) %\(remedy)")
      throw ExitCode(128 + signal)
    }
    let left = secondsLeft.map { ", \(Format.duration($0)) to go" } ?? ""
    if ticker.isShown {
      let width = 24
      let filled = Int((share * Double(width)).rounded())
      let bar =
        String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
      ticker.show("[\(bar)] \(Int(100 * share)) %, \(what)\(left)")
    } else if Date().timeIntervalSince(lastLine) >= WorkTicker.interval {
      lastLine = Date()
      output.line("\(Int(100 * share)) %, \(what)\(left)")
    }
  }

  func clear() { ticker.clear() }

  /// Seconds since the beginning.
  var seconds: Double { Date().timeIntervalSince(start) }
}
