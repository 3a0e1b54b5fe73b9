/// Where images come from, as `data.source` and `--data` name it.
package enum DataSource: Sendable, Equatable {
  /// The images in the program: 8×8, grey.
  case digits
  /// A folder of `train/CLASS` and `test/CLASS`.
  case folder(String)
  /// The folder of CIFAR-10's binary files.
  case cifar10(String)

  private static let cifarPrefix = "cifar10:"

  /// The source that a text names; every text names one.
  package init(_ text: String) {
    if text == "digits" {
      self = .digits
    } else if text.hasPrefix(Self.cifarPrefix) {
      self = .cifar10(String(text.dropFirst(Self.cifarPrefix.count)))
    } else {
      self = .folder(text)
    }
  }

  /// The text that names it.
  package var text: String {
    switch self {
    case .digits: "digits"
    case .folder(let path): path
    case .cifar10(let path): Self.cifarPrefix + path
    }
  }

  /// The same with its folder from the root, for a run that is resumed from another folder.
  package var absolute: DataSource {
    switch self {
    case .digits: self
    case .folder(let path): .folder(Path.fromRoot(path))
    case .cifar10(let path): .cifar10(Path.fromRoot(path))
    }
  }

  /// Side of the images where they all have one size; nil for a folder of images.
  package var resolution: Int? {
    switch self {
    case .digits: 8
    case .folder: nil
    case .cifar10: 32
    }
  }

  /// Channels of an image.
  package var channels: Int { self == .digits ? 1 : 3 }
}
