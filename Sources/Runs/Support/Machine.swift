import Foundation

/// The machine that this process runs on.
package enum Machine {
  /// Its name in its network, for people.
  package static let name: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }()

  /// One value for all processes under its kernel, whose locks decide between them.
  static let identity: String = {
    let start = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    return start?.trimmingCharacters(in: .whitespacesAndNewlines) ?? name
  }()
}
