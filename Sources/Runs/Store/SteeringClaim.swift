import Foundation

/// Whether a viewer of a run may steer it.
package enum Steering: Sendable, Equatable {
  /// It may.
  case granted
  /// Another viewer does, in that process; 0 for an unknown one.
  case held(by: Int32)
  /// It may not, for this reason.
  case refused(String)

  /// Why this viewer only looks on, and what would change it; nil where it steers.
  package var reason: String? {
    switch self {
    case .granted: nil
    case .held(let process):
      "read-only: \(process > 0 ? "PID \(process)" : "another viewer") steers; this viewer takes "
        + "over when that one leaves"
    case .refused(let reason): "read-only: \(reason)"
    }
  }
}

/// A viewer's claim to steer a run: of all viewers of a run one holds the lock `steering.lock` in
/// its folder, and the kernel frees it however that one ends.
package final class SteeringClaim {
  private let path: String
  private let refusal: String?
  private var lock: LockFile?

  /// A claim for the run in `folder`, or none where there is a reason for a `refusal`.
  package init(_ folder: RunFolder, refusal: String? = nil) {
    path = folder.path + "/steering.lock"
    self.refusal = refusal
  }

  /// Takes the lock if it is free and not held already, and says who steers.
  package func look() -> Steering {
    if let refusal { return .refused(refusal) }
    if lock != nil { return .granted }
    // Waiting for the lock would hold up the screen, and most looks find the same holder.
    if let holder = LockFile.holder(of: path) { return .held(by: holder) }
    do {
      lock = try LockFile(path)
      return .granted
    } catch {
      switch error {
      case .held(let process): return .held(by: process ?? 0)
      case .unopened(let number):
        return .refused("the run's folder cannot be written, \(systemMessage(number))")
      }
    }
  }

  /// Why nothing may be steered from this process: by an option, or by SUPERTOP_READ_ONLY.
  package static func refusal(
    isReadOnly: Bool = false,
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    if isReadOnly { return "opened with --read-only" }
    let value = environment["SUPERTOP_READ_ONLY"] ?? ""
    return value.isEmpty || value == "0" ? nil : "SUPERTOP_READ_ONLY=\(value) is set"
  }
}
