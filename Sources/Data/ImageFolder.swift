import Foundation
import Runs

/// `train/<class>/*.jpg|jpeg|png` and `test/<class>/…` (or `val`, `validation`).
enum ImageFolder {
  private static let extensions: Set<String> = ["jpg", "jpeg", "png"]
  private static let shape = "train/<class>/*.jpg and test/<class>/*.jpg"

  /// Images of one of the two sets, class by class.
  private struct Part {
    /// `train`, `test`, `val` or `validation`.
    var name: String
    var classNames: [String] = []
    /// Paths relative to the data set's folder, sorted, per class.
    var files: [[String]] = []
    /// Files that are not images by their names, or lie outside any class.
    var ignored = 0
  }

  /// Lists the folder `path` and checks its shape; decodes only a few headers.
  ///
  /// With `testOnly` there need be no training images, and the classes are those of the test images.
  static func source(_ path: String, resolution: Int, testOnly: Bool = false) throws -> ImageSource
  {
    let folder = Path.absolute(path)
    guard let facts = FileFacts(folder) else {
      throw UserError(
        .noInput,
        path,
        "no such folder",
        remedy: "give digits, an image folder or cifar10:FOLDER"
      )
    }
    guard facts.isFolder else {
      throw UserError(.noInput, path, "not a folder", remedy: "give the folder that holds \(shape)")
    }
    var fingerprint = Fingerprint()
    let train =
      testOnly
      ? Part(name: "train") : try part(["train"], of: folder, named: path, &fingerprint)
    let test = try part(["test", "val", "validation"], of: folder, named: path, &fingerprint)
    if !testOnly { try check(train, test, named: path) }
    let classes = testOnly ? test.classNames : train.classNames
    let warnings = try check(test, of: train.classNames, ignored: train.ignored, named: path)
    return ImageSource(
      name: Path.name(folder),
      folder: folder,
      side: packedSide((testOnly ? test : train).files, folder: folder, resolution: resolution),
      classNames: classes,
      fingerprint: fingerprint,
      warnings: warnings,
      isTestOnly: testOnly,
      list: {
        ImageSource.Listing(
          train: items(train, classes: classes),
          test: items(test, classes: classes)
        )
      },
      decode: { item, decoder in try decoder.decode(read(folder + "/" + item.path)) }
    )
  }

  private static func part(
    _ names: [String],
    of folder: String,
    named path: String,
    _ fingerprint: inout Fingerprint
  ) throws -> Part {
    guard let name = names.first(where: { FileFacts("\(folder)/\($0)")?.isFolder == true }) else {
      throw UserError(
        .noInput,
        path,
        "no folder \(names.joined(separator: ", ")) in it",
        remedy: "arrange the images as \(shape)"
      )
    }
    var part = Part(name: name)
    for className in try entries("\(folder)/\(name)") {
      guard FileFacts("\(folder)/\(name)/\(className)")?.isFolder == true else {
        part.ignored += 1
        continue
      }
      var files: [String] = []
      for file in try entries("\(folder)/\(name)/\(className)") {
        let relative = "\(name)/\(className)/\(file)"
        let dot = file.lastIndex(of: ".") ?? file.startIndex
        guard extensions.contains(file[dot...].dropFirst().lowercased()),
          let facts = FileFacts("\(folder)/\(relative)"), !facts.isFolder
        else {
          part.ignored += 1
          continue
        }
        fingerprint.combine(relative, facts)
        files.append(relative)
      }
      part.classNames.append(className)
      part.files.append(files)
    }
    return part
  }

  /// Visible entries of a folder, sorted.
  private static func entries(_ folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw UserError(
        .noInput,
        folder,
        "the folder cannot be read",
        remedy: "check its permissions"
      )
    }
  }

  /// Refuses what no search can be made on.
  private static func check(_ train: Part, _ test: Part, named path: String) throws {
    let place = { (part: Part, name: String) in "\(path)/\(part.name)/\(name)" }
    guard train.classNames.count > 1 else {
      let only = train.classNames.first.map { "only one class folder, \($0)" } ?? "no class folder"
      throw UserError(
        .data,
        "\(path)/train",
        only,
        remedy: "a search needs at least two: \(shape)"
      )
    }
    for (name, files) in zip(train.classNames, train.files) where files.isEmpty {
      throw UserError(
        .data,
        place(train, name),
        "no JPEG or PNG image in this class",
        remedy: "add images or remove the folder"
      )
    }
    for name in test.classNames where !train.classNames.contains(name) {
      throw UserError(
        .data,
        place(test, name),
        "a class that train does not have",
        remedy: "rename the folder to one of train's classes or remove it"
      )
    }
  }

  /// Refuses a folder without test images; returns warnings of what merely looks odd: classes that are
  /// trained on and not tested, entries `ignored` there and here.
  private static func check(
    _ test: Part,
    of classes: [String],
    ignored: Int,
    named path: String
  ) throws -> [String] {
    guard test.files.contains(where: { !$0.isEmpty }) else {
      throw UserError(
        .data,
        "\(path)/\(test.name)",
        "no JPEG or PNG image in it",
        remedy: "move some images of each class there"
      )
    }
    var warnings: [String] = []
    let tested = zip(test.classNames, test.files).filter { !$1.isEmpty }.map { $0.0 }
    let missing = classes.filter { !tested.contains($0) }
    if !missing.isEmpty {
      warnings.append("\(test.name) has no image of \(missing.joined(separator: ", "))")
    }
    if ignored + test.ignored > 0 {
      warnings.append(
        "\(ignored + test.ignored) entries ignored: not .jpg, .jpeg or .png in a class folder"
      )
    }
    return warnings
  }

  private static func items(_ part: Part, classes: [String]) -> [ImageSource.Item] {
    zip(part.classNames, part.files).flatMap { name, files in
      let label = Int32(classes.firstIndex(of: name) ?? 0)
      return files.map { ImageSource.Item(path: $0, label: label) }
    }
  }

  /// The resolution, or less where the images themselves have less: growing them is left to the
  /// batches, so that small images do not fill the disk at 224×224.
  ///
  /// Judged by the headers of up to 64 training images, the largest of which counts.
  private static func packedSide(_ files: [[String]], folder: String, resolution: Int) -> Int {
    let all = files.joined().map { $0 }
    let decoder = ImageDecoder()
    var side = 0
    for i in stride(from: 0, to: all.count, by: max(1, all.count / 64)) {
      guard let size = try? decoder.size(read(folder + "/" + all[i])) else { continue }
      side = max(side, min(size.width, size.height))
      if side >= resolution { return resolution }
    }
    return side > 0 ? side : resolution
  }

  private static func read(_ path: String) throws -> Foundation.Data {
    do {
      return try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw BadImage(problem: "the file cannot be read")
    }
  }
}
