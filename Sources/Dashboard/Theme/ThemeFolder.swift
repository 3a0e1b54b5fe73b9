import Foundation
import Runs

/// The user's folder of themes, looked at again and again.
struct ThemeFolder {
  /// Nil where the user has no home.
  let path: String?
  private var files: [String: Stamp] = [:]

  /// What tells one state of a file from another.
  private struct Stamp: Equatable {
    var changed: Date?
    var size: Int?
  }

  init(_ path: String?) { self.path = path }

  /// All themes as they are now.
  mutating func library() -> ThemeLibrary {
    // The stamps first: what is written in between is then news.
    files = stamps()
    return ThemeLibrary.load(folder: path)
  }

  /// All themes if a file of the folder has changed, come or gone since the last look.
  mutating func changed() -> ThemeLibrary? {
    stamps() == files ? nil : library()
  }

  private func stamps() -> [String: Stamp] {
    guard let path, let entries = try? visibleEntries(path) else { return [:] }
    var stamps: [String: Stamp] = [:]
    for entry in entries where entry.shown.hasSuffix(".theme") {
      let facts = try? FileManager.default.attributesOfItem(atPath: path + "/" + entry.shown)
      stamps[entry.shown] = Stamp(
        changed: facts?[.modificationDate] as? Date,
        size: facts?[.size] as? Int
      )
    }
    return stamps
  }
}
