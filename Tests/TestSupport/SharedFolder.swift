import Foundation

/// The shared data folder: `$SUPERTOP_SHARED`, else `../shared` beside the package.
package let sharedFolder: String? = {
  let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  let candidates: [String?] = [
    ProcessInfo.processInfo.environment["SUPERTOP_SHARED"],
    package.deletingLastPathComponent().appendingPathComponent("shared").path,
  ]
  return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/data") }
}()
