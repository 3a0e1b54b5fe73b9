import Foundation

/// The seconds that a test waits for what must happen: enough for a machine twenty times slower
/// than a laptop, so that only what hangs is given up.
package let patience = 600.0

/// Looks again and again until `holds`.
///
/// - Parameters:
///   - pause: Seconds between two looks.
///   - holds: What is waited for.
/// - Returns: Whether it came to hold within `patience`.
package func eventually(pause: Double = 0.01, _ holds: () throws -> Bool) rethrows -> Bool {
  let end = Date().addingTimeInterval(patience)
  while Date() < end {
    if try holds() { return true }
    Thread.sleep(forTimeInterval: pause)
  }
  return try holds()
}
