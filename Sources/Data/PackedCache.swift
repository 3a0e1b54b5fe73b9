import Foundation
import Runs
import Synchronization

/// Where packed images are kept between runs, one file for each folder and side.
struct PackedCache {
  let path: String

  /// The file for `source` in `folder`, or in the user's cache folder if that is empty.
  init(_ source: ImageSource, folder: String) {
    var place = Fingerprint()
    place.combine(source.folder)
    if source.isTestOnly { place.combine("test") }
    let name = source.name.map { $0.isLetter || $0.isNumber || $0 == "-" ? String($0) : "_" }
    path =
      PackedCache.folder(folder)
      + "/\(name.joined())-\(source.side)px-\(place.text.prefix(8)).packed"
  }

  /// `setting`, else `$XDG_CACHE_HOME/supertop`, else `~/.cache/supertop`.
  static func folder(_ setting: String) -> String {
    if !setting.isEmpty { return Path.expandingTilde(setting) }
    let environment = ProcessInfo.processInfo.environment
    // The XDG specification says to ignore a relative path.
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/supertop" }
    return Path.expandingTilde("~/.cache/supertop")
  }

  enum Found {
    case nothing, stale, damaged
    case good(PackedFile.Contents)
  }

  /// Opens the file if it holds just what `source` would give now.
  func open(_ source: ImageSource, skipBadImages: Bool) -> Found {
    guard FileFacts(path) != nil else { return .nothing }
    let contents: PackedFile.Contents
    do {
      contents = try PackedFile.read(mapBytes(path))
    } catch PackedFile.Unusable.outdated {
      return .stale
    } catch {
      return .damaged
    }
    let description = contents.description
    guard description.fingerprint == source.fingerprint.text, description.side == source.side,
      description.classNames == source.classNames,
      // Without the option the bad images have to be named, so they have to be met again.
      skipBadImages || description.skipped == 0
    else { return .stale }
    return .good(contents)
  }
}

/// `$XDG_CACHE_HOME/supertop`, else `~/.cache/supertop`: what can be made again.
package func userCacheFolder() -> String { PackedCache.folder("") }

/// Receives the pixels of a data set slice by slice and ends as a packed file.
///
/// Writes to a temporary file that takes its name only when it is whole. If that fails at any
/// point, what there is moves to memory and the work continues.
final class PackedWriter {
  private let path: String
  private let temporary: String
  /// Writers of this process so far: several may write the same file at once.
  private static let count = Atomic(0)
  private var file: Int32?
  private var memory = Foundation.Data()
  private var appended = 0
  /// Why there will be no cache file, if so.
  private(set) var warning: String?

  init(_ path: String) {
    self.path = path
    let number = PackedWriter.count.add(1, ordering: .relaxed).newValue
    temporary = path + ".\(number).\(getpid()).tmp"
    _ = makeFolders(Path.folder(path))
    removeAbandoned()
    let opened = Foundation.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if opened >= 0 { file = opened } else { fallBack() }
  }

  deinit {
    guard let file else { return }
    close(file)
    unlink(temporary)
  }

  func append(_ bytes: [UInt8]) {
    append(Foundation.Data(bytes))
  }

  private func append(_ bytes: Foundation.Data) {
    defer { appended += bytes.count }
    if let file {
      if bytes.withUnsafeBytes({ writeAll($0, to: file) }) { return }
      fallBack()
    }
    memory.append(bytes)
  }

  /// Checksum of what was appended so far.
  func checksum() throws -> String {
    try PackedFile.checksum(pixels: contents())
  }

  /// Appends the tail, gives the file its name and returns its contents.
  func finish(_ description: PackedFile.Description, labels: [Int32]) throws -> PackedFile.Contents
  {
    append(try PackedFile.tail(description, labels: labels))
    let whole = try contents()
    if let file {
      close(file)
      if rename(temporary, path) != 0 {
        // The mapping outlives the name.
        unlink(temporary)
        warning = failure
      }
    }
    file = nil
    return try PackedFile.read(whole)
  }

  private func contents() throws -> Foundation.Data {
    guard file != nil else { return memory }
    return try mapBytes(temporary)
  }

  private var failure: String {
    "\(path): the cache cannot be written; the images are packed again for each run"
  }

  private func fallBack() {
    warning = failure
    if let file {
      // A failed write may have left a part of its bytes: only whole appends count.
      memory = ((try? readBytes(temporary)) ?? memory).prefix(appended)
      close(file)
      unlink(temporary)
    }
    file = nil
  }

  /// Removes what processes that were killed have left of this file.
  private func removeAbandoned() {
    let folder = Path.folder(path)
    for name in names(in: folder) ?? [] {
      let parts = name.split(separator: ".")
      guard name.hasPrefix(Path.name(path) + "."), parts.last == "tmp",
        let owner = parts.dropLast().last.flatMap({ Int32($0) }), kill(owner, 0) != 0,
        errno == ESRCH
      else { continue }
      unlink(folder + "/" + name)
    }
  }
}
