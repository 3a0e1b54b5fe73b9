import Foundation

/// Images of a data set before they are packed, wherever they lie.
struct ImageSource: Sendable {
  /// One image that can be decoded on any thread.
  struct Item: Sendable {
    /// File relative to the data set's folder, for messages.
    var path: String
    var label: Int32
    /// Which image of the file, where a file holds many.
    var record = 0
  }

  struct Listing: Sendable {
    var train: [Item]
    /// Of the training images, those that only evaluate, where the source says so.
    var validation: [Item] = []
    var test: [Item]
  }

  var name: String
  /// Absolute folder.
  var folder: String
  /// Side of the packed squares, pixels.
  var side: Int
  var classNames: [String]
  /// Changes whenever a file is added, removed, resized or written to.
  var fingerprint: Fingerprint
  var warnings: [String] = []
  var credit = ""
  var supportsFlip = true
  /// Whether the training images are left out, for a network that has been trained.
  var isTestOnly = false
  /// Lists the images; called only when they have to be decoded.
  var list: @Sendable () throws -> Listing
  /// Decodes one image or throws `BadImage`.
  var decode: @Sendable (Item) throws -> DecodedImage
}

/// What `stat` knows of a file.
struct FileFacts {
  var size: Int
  /// Nanoseconds since 1970.
  var modified: Int
  var isFolder: Bool
  /// Device and number, the same for every path to it.
  var identity: [UInt64]

  /// Nil when there is no such file.
  init?(_ path: String) {
    // Asked of the system directly: Foundation's way takes a hundred times as long, and a data set
    // may have a million files.
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    size = Int(info.st_size)
    #if canImport(Darwin)
      let time = info.st_mtimespec
    #else
      let time = info.st_mtim
    #endif
    modified = Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    identity = [UInt64(info.st_dev), UInt64(info.st_ino)]
    isFolder = info.st_mode & S_IFMT == S_IFDIR
  }
}

extension Fingerprint {
  /// Takes in a file's size and time.
  mutating func combine(_ facts: FileFacts) {
    combine(UInt64(bitPattern: Int64(facts.size)))
    combine(UInt64(bitPattern: Int64(facts.modified)))
  }
}
