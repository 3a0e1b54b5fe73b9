import Foundation
import Runs
import Tensor

/// `train/<class>/*.jpg|jpeg|png`, and beside it `test/<class>/…` or `val/<class>/…` or both.
///
/// Without test images, and in a folder of classes alone, one image in five tests.
enum ImageFolder {
  private static let extensions: Set<String> = ["jpg", "jpeg", "png"]
  private static let shape = "train/<class>/*.jpg and test/<class>/*.jpg, or <class>/*.jpg"
  private static let validationNames = ["val", "valid", "validation"]
  /// Share of a class's images that test where the folder has no test images.
  private static let testShare = 0.2

  /// Images of one of the two sets, class by class.
  private struct Part {
    /// `train`, `test`, `val`, `valid` or `validation`; empty for a folder of classes alone.
    var name: String
    var classNames: [String] = []
    /// Paths relative to the data set's folder, sorted, per class.
    var files: [[String]] = []
    /// Numbers of images in sub-folders, per class.
    var deeper: [Int] = []
    /// Files that are not images by their names, or lie outside any class.
    var ignored = 0

    var images: Int { files.reduce(0) { $0 + $1.count } }
  }

  /// The parts of a folder.
  private struct Parts {
    var train: Part
    /// Images that only evaluate during a training, where the folder has some beside test images.
    var validation: Part?
    var test: Part
    var warnings: [String] = []
  }

  /// Lists the folder `path` and checks its shape; decodes only a few headers.
  ///
  /// With `testOnly` there need be no training images, and the classes are those of the test
  /// images.
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
    let parts = try parts(of: folder, named: path, testOnly: testOnly, &fingerprint)
    let (train, test) = (parts.train, parts.test)
    if !testOnly { try check(train, [test] + (parts.validation.map { [$0] } ?? []), named: path) }
    let classes = testOnly ? test.classNames : train.classNames
    let warnings = try parts.warnings + check(test, beside: train, named: path)
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
          validation: parts.validation.map { items($0, classes: classes) } ?? [],
          test: items(test, classes: classes)
        )
      },
      decode: { item in try ImageDecoder.decode(read(folder + "/" + item.path)) }
    )
  }

  /// The images of a folder by what they are for.
  private static func parts(
    of folder: String,
    named path: String,
    testOnly: Bool,
    _ fingerprint: inout Fingerprint
  ) throws -> Parts {
    func first(_ names: [String]) -> String? {
      names.first { FileFacts("\(folder)/\($0)")?.isFolder == true }
    }
    let (train, tests, validation) = (first(["train"]), first(["test"]), first(validationNames))
    if let test = tests ?? validation {
      guard testOnly || train != nil else {
        throw UserError(
          .noInput,
          path,
          "no folder train in it, but \(test)",
          remedy: "arrange the images as \(shape)"
        )
      }
      return Parts(
        train: testOnly
          ? Part(name: "train") : try part("train", of: folder, named: path, &fingerprint),
        validation: tests != nil && !testOnly
          ? try validation.map { try part($0, of: folder, named: path, &fingerprint) } : nil,
        test: try part(test, of: folder, named: path, &fingerprint)
      )
    }
    var all = try part(train ?? "", of: folder, named: path, &fingerprint)
    if all.name.isEmpty { try keepClasses(of: &all, named: path) }
    let parts = split(all)
    return Parts(
      train: testOnly ? Part(name: all.name) : parts.train,
      test: parts.test,
      warnings: [
        "no folder test: \(parts.test.images) of \(all.images) images test, "
          + "the same ones every time"
      ]
    )
  }

  /// Where the part `name` lies: in `folder`, or that itself if the name is empty.
  private static func place(of name: String, in folder: String) -> String {
    name.isEmpty ? folder : "\(folder)/\(name)"
  }

  /// Leaves out the folders without images; refuses what is no folder of classes.
  private static func keepClasses(of part: inout Part, named path: String) throws {
    let kept = part.files.indices.filter { !part.files[$0].isEmpty }
    guard kept.count > 1 else {
      throw UserError(
        .noInput,
        path,
        "no folder train in it, and "
          + (kept.isEmpty ? "no class folders with images" : "only one class folder with images"),
        remedy: "arrange the images as \(shape)"
      )
    }
    part.ignored += part.files.count - kept.count
    part.classNames = kept.map { part.classNames[$0] }
    part.deeper = kept.map { part.deeper[$0] }
    part.files = kept.map { part.files[$0] }
  }

  /// Takes the test images out of each class, by its name and its files' alone: so they are the
  /// same for every run, and for `evaluate`.
  private static func split(_ all: Part) -> (train: Part, test: Part) {
    var (train, test) = (all, all)
    test.ignored = 0
    test.deeper = all.deeper.map { _ in 0 }
    for (index, files) in all.files.enumerated() {
      var name = Fingerprint()
      name.combine(all.classNames[index])
      var random = Philox(seed: name.value, purpose: .split)
      let count = max(files.count > 1 ? 1 : 0, Int(Double(files.count) * testShare))
      let tested = Set(random.permutation(files.count).prefix(count).map { Int($0) })
      test.files[index] = files.indices.filter(tested.contains).map { files[$0] }
      train.files[index] = files.indices.filter { !tested.contains($0) }.map { files[$0] }
    }
    return (train, test)
  }

  /// The classes below the sub-folder `name`, or in the folder itself if that is empty.
  private static func part(
    _ name: String,
    of folder: String,
    named path: String,
    _ fingerprint: inout Fingerprint
  ) throws -> Part {
    let prefix = name.isEmpty ? "" : name + "/"
    var part = Part(name: name)
    let root = place(of: name, in: folder)
    for entry in try visibleEntries(root) {
      guard entry.isFolder else {
        part.ignored += 1
        continue
      }
      let className = try entry.name(in: root)
      let place = "\(root)/\(className)"
      var files: [String] = []
      var deeper = 0
      var visited = Set([root, place].compactMap { FileFacts($0)?.identity })
      for entry in try visibleEntries(place) {
        if entry.isFolder {
          deeper += try images(in: place + "/" + entry.name(in: place), &visited)
        } else if isImage(entry) {
          let relative = "\(prefix)\(className)/\(try entry.name(in: place))"
          fingerprint.combine(relative)
          FileFacts("\(folder)/\(relative)").map { fingerprint.combine($0) }
          files.append(relative)
        } else {
          part.ignored += 1
        }
      }
      part.classNames.append(className)
      part.files.append(files)
      part.deeper.append(deeper)
    }
    try checkNames(part, in: place(of: name, in: path))
    return part
  }

  /// The number of images in a folder and its sub-folders; one that was visited counts for nothing.
  private static func images(in folder: String, _ visited: inout Set<[UInt64]>) throws -> Int {
    // A link may lead back up.
    guard let facts = FileFacts(folder), visited.insert(facts.identity).inserted else { return 0 }
    return try visibleEntries(folder).reduce(0) { count, entry in
      guard entry.isFolder else { return count + (isImage(entry) ? 1 : 0) }
      return try count + images(in: folder + "/" + entry.name(in: folder), &visited)
    }
  }

  private static func isImage(_ entry: FolderEntry) -> Bool {
    extensions.contains { entry.shown.lowercased().hasSuffix("." + $0) }
  }

  /// Refuses two classes whose names are spelled otherwise but are one text in Unicode, as a copy
  /// from another system makes them.
  private static func checkNames(_ part: Part, in folder: String) throws {
    // Sorted, so equals are neighbours.
    for (a, b) in zip(part.classNames, part.classNames.dropFirst()) where a == b {
      throw UserError(
        .data,
        folder,
        "the class folders \(a.spelled) and \(b.spelled) are one name in Unicode",
        remedy: "move the images of one into the other, or rename it"
      )
    }
  }

  /// Refuses what no search can be made on.
  private static func check(_ train: Part, _ others: [Part], named path: String) throws {
    func place(_ part: Part, _ name: String) -> String {
      "\(ImageFolder.place(of: part.name, in: path))/\(name)"
    }
    guard train.classNames.count > 1 else {
      let only = train.classNames.first.map { "only one class folder, \($0)" } ?? "no class folder"
      throw UserError(
        .data,
        "\(path)/train",
        only,
        remedy: "a search needs at least two: \(shape)"
      )
    }
    for (index, name) in train.classNames.enumerated() where train.files[index].isEmpty {
      let deeper = train.deeper[index]
      throw UserError(
        .data,
        place(train, name),
        "no JPEG or PNG image in this class"
          + (deeper > 0 ? ", but \(deeper) in sub-folders of it" : ""),
        remedy: deeper > 0
          ? "move them into the folder of the class" : "add images or remove the folder"
      )
    }
    for part in others {
      for name in part.classNames where !train.classNames.contains(name) {
        throw UserError(
          .data,
          place(part, name),
          "a class that train does not have",
          remedy: "rename the folder to one of train's classes or remove it"
        )
      }
    }
  }

  /// Refuses a folder without test images; returns warnings of what merely looks odd: classes that
  /// are trained on and not tested, entries ignored in either part.
  private static func check(
    _ test: Part,
    beside train: Part,
    named path: String
  ) throws -> [String] {
    guard test.files.contains(where: { !$0.isEmpty }) else {
      let deeper = test.deeper.reduce(0, +)
      throw UserError(
        .data,
        place(of: test.name, in: path),
        "no JPEG or PNG image in its class folders"
          + (deeper > 0 ? ", but \(deeper) in sub-folders of them" : ""),
        remedy: deeper > 0
          ? "move them into the folders of their classes" : "move some images of each class there"
      )
    }
    var warnings: [String] = []
    let tested = zip(test.classNames, test.files).filter { !$1.isEmpty }.map { $0.0 }
    let missing = train.classNames.filter { !tested.contains($0) }
    if !missing.isEmpty {
      warnings.append("\(test.name) has no image of \(missing.joined(separator: ", "))")
    }
    for name in train.classNames + test.classNames.filter({ !train.classNames.contains($0) }) {
      let deeper = [train, test].reduce(0) { sum, part in
        sum + (part.classNames.firstIndex(of: name).map { part.deeper[$0] } ?? 0)
      }
      if deeper > 0 {
        warnings.append("\(Format.counted(deeper, "image")) in sub-folders of \(name) ignored")
      }
    }
    if train.ignored + test.ignored > 0 {
      warnings.append(
        "\(Format.counted(train.ignored + test.ignored, "entry")) ignored: "
          + "not .jpg, .jpeg or .png in a class folder"
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
  /// Estimated from the headers of up to 64 training images, the largest of which counts.
  private static func packedSide(_ files: [[String]], folder: String, resolution: Int) -> Int {
    let all = files.joined().map { $0 }
    var side = 0
    for i in stride(from: 0, to: all.count, by: max(1, all.count / 64)) {
      guard let size = try? ImageDecoder.size(read(folder + "/" + all[i])) else { continue }
      side = max(side, min(size.width, size.height))
      if side >= resolution { return resolution }
    }
    return side > 0 ? side : resolution
  }

  private static func read(_ path: String) throws -> Foundation.Data {
    do {
      return try readBytes(path)
    } catch let error as UserError {
      throw BadImage(problem: error.problem)
    }
  }
}
