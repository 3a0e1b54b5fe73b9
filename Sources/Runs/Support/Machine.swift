import Foundation

/// The machine that this process runs on.
package enum Machine {
  /// Its name in its network, for people.
  package static let name = ProcessInfo.processInfo.hostName

  /// One value for all processes under its kernel, whose locks decide between them.
  static let identity: String = {
    let start = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    return start?.trimmingCharacters(in: .whitespacesAndNewlines) ?? name
  }()
}
