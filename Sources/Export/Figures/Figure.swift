import Foundation
import Runs

/// A figure of a run at a place of its axis, for programs that draw them.
struct Figure: Sendable, Equatable {
  /// What is known there.
  enum Value: Sendable, Equatable {
    case scalar(Double)
    /// Probability of each option of a choice.
    case shares([Double])
    /// Markdown.
    case text(String)
  }

  /// Name of the series: `loss/validation`.
  var series: String
  /// Steps of the run, or of a joint search the number of a candidate.
  var step: Int
  /// Seconds since 1970, as far as the store tells.
  var time: Double
  var value: Value
}

/// When steps were made: a store has the start of each session and the seconds of each step.
struct StepClock {
  private var sessions: [SessionRecord] = []
  private var now = 0.0
  /// Seconds of the epoch's steps; nil where some of them are of another session.
  private var inEpoch: Double? = 0

  /// Of the sessions whose steps are still there; those that were taken back tell nothing.
  init(_ all: [SessionRecord] = []) {
    for session in all.reversed() where session.step < sessions.last?.step ?? .max {
      sessions.append(session)
    }
    now = sessions.last?.startedAt ?? 0
  }

  /// The end of the next step, pauses left out.
  mutating func end(of step: StepRecord) -> Double {
    while let next = sessions.last, next.step <= step.step {
      (now, inEpoch) = (next.startedAt, next.step == 0 ? 0 : nil)
      sessions.removeLast()
    }
    let seconds = step.seconds.isFinite ? step.seconds : 0
    now += seconds
    inEpoch? += seconds
    return now
  }

  /// The end of an epoch's validation, all steps of which have been told.
  mutating func end(of epoch: EpochRecord) -> Double {
    if let inEpoch, epoch.seconds > inEpoch { now += epoch.seconds - inEpoch }
    inEpoch = 0
    return now
  }
}
