import Foundation
import Runs
import Testing

@testable import Data

struct ImageFolderTests {
  private func load(_ folder: TemporaryFolder, resolution: Int = 8, skip: Bool = false) throws
    -> Dataset
  {
    try Dataset.load(
      settings(
        folder.path + "/set",
        resolution: resolution,
        skip: skip,
        cache: folder.path + "/cache"
      )
    )
  }

  @Test func `a folder of JPEG and PNG files loads with sorted classes`() throws {
    let folder = try makeImageFolder(["dog", "cat", "Ant"])
    let dataset = try load(folder)
    #expect(dataset.classNames == ["Ant", "cat", "dog"])
    #expect(dataset.train.labels == [0, 1, 2].flatMap { [Int32](repeating: $0, count: 6) })
    #expect(dataset.test.count == 6)
    #expect(dataset.channels == 3)
    #expect(dataset.train.side == 8)
    // "cat" was the second class made, and its file 1 is a lossless PNG of 12×8: the centre 8×8
    // stays.
    let original = Picture.pixels(width: 12, height: 8, seed: 51)
    var expected: [UInt8] = []
    for y in 0..<8 { expected += original[(y * 36 + 6)..<(y * 36 + 30)] }
    #expect(dataset.train.image(6 + 1) == expected)
    #expect(dataset.warnings == [])
  }

  @Test func `val and validation replace test`() throws {
    for name in ["val", "validation"] {
      let folder = try makeImageFolder()
      try FileManager.default.moveItem(
        atPath: folder.path + "/set/test",
        toPath: folder.path + "/set/" + name
      )
      #expect(try load(folder).test.count == 4)
    }
  }

  @Test func `small images are packed small and grown in the batches`() throws {
    let folder = try makeImageFolder()
    let dataset = try load(folder, resolution: 32)
    #expect(dataset.train.side == 8)
    #expect(dataset.width == 32)
    let batch = BatchPlan(evaluating: dataset.train, of: dataset, batch: 3).batch(0)
    #expect(batch.pixels.count == 3 * 32 * 32 * 3)
  }

  @Test func `hidden files are passed over and strange ones are counted`() throws {
    let folder = try makeImageFolder()
    try folder.write(Foundation.Data("x".utf8), to: "set/train/cat/.DS_Store")
    try folder.write(Foundation.Data("x".utf8), to: "set/train/cat/notes.txt")
    try folder.write(Foundation.Data("x".utf8), to: "set/train/stray.jpg")
    let dataset = try load(folder)
    #expect(dataset.train.count == 12)
    #expect(dataset.warnings.count == 1)
    #expect(dataset.warnings.first?.hasPrefix("2 entries ignored") == true)
  }

  @Test func `images in sub-folders are reported with their number, at any depth`() throws {
    let folder = try makeImageFolder()
    let png = Picture.png(Picture.pixels(width: 8, height: 8, seed: 1), width: 8, height: 8)
    for name in ["day1/a.png", "day1/b.JPG", "day2/deep/er/c.jpeg", "day.png/d.png"] {
      try folder.write(png, to: "set/train/cat/" + name)
    }
    try folder.write(png, to: "set/test/cat/day1/e.png")
    for name in ["day1/.f.png", "day1/notes.txt", ".thumbs/g.png"] {
      try folder.write(png, to: "set/train/cat/" + name)
    }
    try folder.makeFolder("set/train/dog/empty")
    // A way back up must not be walked for ever, nor count twice.
    let class_ = folder.path + "/set/train/cat"
    #expect(symlink("..", class_ + "/day1/up") == 0)
    #expect(symlink("day1", class_ + "/again") == 0)
    let dataset = try load(folder)
    #expect(dataset.train.count == 12)
    #expect(dataset.warnings == ["5 images in sub-folders of cat ignored"])
  }

  @Test func `a class all of whose images lie deeper is refused with that reason`() throws {
    let png = Picture.png(Picture.pixels(width: 8, height: 8, seed: 1), width: 8, height: 8)
    let train = try makeImageFolder()
    try train.write(png, to: "set/train/emu/images/a.png")
    #expect(
      line { _ = try load(train) }.contains(
        "train/emu: no JPEG or PNG image in this class, but 1 in sub-folders"
      )
    )
    let test = try makeImageFolder(test: 0)
    try test.write(png, to: "set/test/cat/images/a.png")
    #expect(line { _ = try load(test) }.contains("but 1 in sub-folders"))
  }

  @Test func `two classes of one name in Unicode are reported as that, two files are two`() throws {
    let one = "caf\u{E9}"
    let other = "cafe\u{301}"
    let folder = try makeImageFolder([one, other, "dog"])
    let message = line { _ = try load(folder) }
    #expect(message.contains(#"caf\u00e9"#) && message.contains(#"cafe\u0301"#))
    #expect(message.contains("one name in Unicode"))
    // The same class in another spelling in each part is one class.
    let spelled = try makeImageFolder([one, "dog"])
    #expect(rename(spelled.path + "/set/test/" + one, spelled.path + "/set/test/" + other) == 0)
    #expect(try load(spelled).test.count == 4)
    let files = try makeImageFolder()
    for (name, seed) in [(one, 1), (other, 2)] {
      let pixels = Picture.pixels(width: 8, height: 8, seed: seed)
      try files.write(Picture.png(pixels, width: 8, height: 8), to: "set/train/cat/\(name).png")
    }
    #expect(try load(files).train.count == 14)
  }

  @Test func `a link that leads nowhere is a bad image, not another kind of file`() throws {
    let folder = try makeImageFolder()
    #expect(symlink("nowhere", folder.path + "/set/train/cat/x.png") == 0)
    #expect(line { _ = try load(folder) }.contains("train/cat/x.png: no such file"))
    #expect(try load(folder, skip: true).skippedImages == 1)
  }

  #if os(Linux)  // Other systems refuse to make such files.
    @Test func `names that are not UTF-8 are refused with that reason, never passed over`() throws {
      func make(_ path: String, _ name: [UInt8], isFolder: Bool = false) {
        let whole = (Array(path.utf8) + [0x2F] + name + [0]).map { CChar(bitPattern: $0) }
        if isFolder { mkdir(whole, 0o755) } else { close(open(whole, O_CREAT | O_WRONLY, 0o644)) }
      }
      let places: [(String, [UInt8], Bool)] = [
        ("/set/train/cat", Array("x".utf8) + [0xF1] + Array("z.png".utf8), false),
        ("/set/test/dog", Array("x".utf8) + [0xF1] + Array("z.JPG".utf8), false),
        ("/set/train", Array("caf".utf8) + [0xE9], true),
        ("/set/train/cat", [0xE9], true),
      ]
      for (place, name, isFolder) in places {
        let folder = try makeImageFolder()
        make(folder.path + place, name, isFolder: isFolder)
        let message = line { _ = try load(folder) }
        #expect(message.contains("not UTF-8") && message.contains(#"\x"#), "\(message)")
        #expect(message.hasPrefix(folder.path + place + "/"))
      }
      let folder = try makeImageFolder()
      make(folder.path + "/set/train/cat", [0xE9] + Array(".txt".utf8))
      #expect(try load(folder).warnings.first?.hasPrefix("1 entry ignored") == true)
    }
  #endif

  @Test func `stray bytes are reported in one line, also from the cache`() throws {
    let folder = try makeImageFolder()
    let jpeg = Picture.jpeg(Picture.pixels(width: 12, height: 8, seed: 3), width: 12, height: 8)
    let stray = jpeg[..<20] + [0, 0] + jpeg[20...]
    try folder.write(stray, to: "set/train/cat/stray.jpg")
    for _ in 0..<2 {
      #expect(
        try load(folder).warnings == [
          "train/cat/stray.jpg: stray bytes before a marker of the JPEG file; decoded all the same"
        ]
      )
    }
    try folder.write(stray, to: "set/test/dog/stray.jpg")
    let warnings = try load(folder).warnings
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("2 files (train/cat/stray.jpg is the first): stray") == true)
  }

  @Test func `the page on a data set shows controls in names, a row a class`() throws {
    let folder = try makeImageFolder(["red\u{1B}[31m", "line\nfeed"])
    let page = try load(folder).describe()
    #expect(page.contains(#"red\u001b[31m"#) && page.contains(#"line\nfeed"#))
    #expect(!page.contains("\u{1B}"))
    #expect(page.components(separatedBy: "\n").suffix(3).count { $0.hasSuffix(" 2") } == 2)
  }

  @Test func `a missing folder and a folder without train or test are named`() throws {
    let folder = try makeImageFolder()
    let missing = line { _ = try Dataset.load(settings("/no/such/folder")) }
    #expect(
      missing
        == "/no/such/folder: no such folder; give digits, an image folder or cifar10:FOLDER"
    )
    #expect(line { _ = try Dataset.load(settings(folder.path)) }.contains("no folder train"))
    try FileManager.default.removeItem(atPath: folder.path + "/set/train")
    #expect(line { _ = try load(folder) }.contains("no folder train in it, but test"))
  }

  @Test func `val beside test is what evaluates during a training`() throws {
    for name in ["val", "valid", "validation"] {
      let folder = try makeImageFolder(train: 5)
      try FileManager.default.copyItem(
        atPath: folder.path + "/set/test",
        toPath: "\(folder.path)/set/\(name)"
      )
      for _ in 0..<2 {
        // Packed, then from the cache.
        let data = try load(folder)
        #expect(data.train.count == 14 && data.test.count == 4)
        #expect(data.validation == 10..<14)
        #expect(data.describe().contains("14 for training (4 of them for validation)"))
        let split = Split(
          labels: data.train.labels,
          thetaShare: 0.2,
          validationShare: 0.5,
          given: data.validation,
          seed: 1
        )
        #expect(split.validation == [10, 11, 12, 13])
        #expect(split.theta.count == 2)
        #expect((split.weights + split.theta).sorted() == (0..<10).map { Int32($0) })
      }
      try folder.makeFolder("set/\(name)/emu")
      #expect(line { _ = try load(folder) }.contains("\(name)/emu: a class that train"))
    }
  }

  @Test func `of a folder without test images one in five tests, the same ones every time`() throws
  {
    let folder = try makeImageFolder(train: 10)
    let (test, train) = (folder.path + "/set/test", folder.path + "/set/train")
    try FileManager.default.removeItem(atPath: test)
    let split = try load(folder)
    #expect(split.train.count == 16 && split.test.count == 4)
    #expect(split.test.counts(classes: 2) == [2, 2])
    #expect(split.warnings.first?.contains("4 of 20 images test") == true)
    // The classes may lie in the folder itself, beside folders without images.
    for name in ["cat", "dog"] {
      try FileManager.default.moveItem(
        atPath: "\(train)/\(name)",
        toPath: "\(folder.path)/set/\(name)"
      )
    }
    try FileManager.default.removeItem(atPath: train)
    try folder.makeFolder("set/notes")
    let flat = try load(folder)
    #expect(flat.classNames == ["cat", "dog"])
    #expect((0..<4).map(flat.test.image) == (0..<4).map(split.test.image))
    #expect((0..<16).map(flat.train.image) == (0..<16).map(split.train.image))
    // For `evaluate` too.
    let place = try settings(folder.path + "/set", cache: folder.path + "/cache")
    let tests = try Dataset.tests(place, for: flat.learned)
    #expect((0..<4).map(tests.test.image) == (0..<4).map(flat.test.image))
    let survey = try ImageSurvey(folder: folder.path + "/set")
    #expect(survey.train == 16 && survey.test == 4 && survey.classes == 2)
    #expect(survey.side == 8 && !survey.isGrey && survey.validation == nil)
    try FileManager.default.removeItem(atPath: folder.path + "/set/cat")
    #expect(line { _ = try load(folder) }.contains("only one class folder with images"))
  }

  @Test func `one class and an empty class are refused`() throws {
    let one = try makeImageFolder(["cat"])
    #expect(line { _ = try load(one) }.contains("only one class folder, cat"))
    let empty = try makeImageFolder()
    try empty.makeFolder("set/train/emu")
    #expect(line { _ = try load(empty) }.contains("train/emu: no JPEG or PNG image"))
  }

  @Test func `a test class that train lacks is refused, a train class without tests is warned of`()
    throws
  {
    let strange = try makeImageFolder()
    try strange.makeFolder("set/test/emu")
    #expect(line { _ = try load(strange) }.contains("test/emu: a class that train does not have"))
    let untested = try makeImageFolder()
    try FileManager.default.removeItem(atPath: untested.path + "/set/test/dog")
    #expect(try load(untested).warnings == ["test has no image of dog"])
  }

  @Test func `bad images are named one at a time, with the way out`() throws {
    let jpeg = Picture.jpeg(Picture.pixels(width: 12, height: 8, seed: 3), width: 12, height: 8)
    let png = Picture.png(Picture.pixels(width: 12, height: 8, seed: 3), width: 12, height: 8)
    let cases: [(String, Foundation.Data, String)] = [
      ("cut.jpg", jpeg.prefix(jpeg.count - 40), "truncated JPEG"),
      ("cut.png", png.prefix(png.count / 2), "corrupt PNG"),
      ("none.jpg", Foundation.Data(), "the file is empty"),
      ("page.jpg", Foundation.Data("<html>".utf8), "neither a JPEG nor a PNG"),
    ]
    for (name, bytes, problem) in cases {
      let folder = try makeImageFolder()
      try folder.write(bytes, to: "set/train/dog/" + name)
      let message = line { _ = try load(folder) }
      #expect(message.hasPrefix(folder.path + "/set/train/dog/" + name + ": "))
      #expect(message.contains(problem))
      #expect(message.contains("--skip-bad-images"))
      #expect(!message.contains("\n"))
    }
  }

  @Test func `a PNG that is called jpg is read for what it is`() throws {
    let folder = try makeImageFolder()
    let pixels = Picture.pixels(width: 8, height: 8, seed: 9)
    try folder.write(Picture.png(pixels, width: 8, height: 8), to: "set/train/cat/00.jpg")
    let dataset = try load(folder)
    #expect(dataset.skippedImages == 0)
    #expect((0..<dataset.train.count).contains { dataset.train.image($0) == pixels })
  }

  @Test func `skipped images are counted and named, and the cache remembers them`() throws {
    let folder = try makeImageFolder()
    for i in 0..<7 { try folder.write(Foundation.Data(), to: "set/train/cat/bad\(i).jpg") }
    for _ in 0..<2 {
      let dataset = try load(folder, skip: true)
      #expect(dataset.skippedImages == 7)
      #expect(dataset.train.count == 12)
      #expect(dataset.train.labels.count { $0 == 0 } == 6)
      #expect(dataset.warnings.count == 6)
      #expect(dataset.warnings.first == "train/cat/bad0.jpg: the file is empty; skipped")
      #expect(dataset.warnings.last == "2 more bad images skipped")
    }
    // A cache made with the option must not hide the files from a run without it.
    #expect(line { _ = try load(folder) }.contains("bad0.jpg"))
  }

  @Test func `a class with nothing but bad images is refused even when skipping`() throws {
    let folder = try makeImageFolder()
    try folder.write(Foundation.Data(), to: "set/train/emu/a.jpg")
    #expect(line { _ = try load(folder, skip: true) }.contains("no image of the class emu"))
  }

  @Test func `progress rises from 0 to 1`() throws {
    let folder = try makeImageFolder(train: 40)
    var shares: [Double] = []
    _ = try Dataset.load(
      settings(folder.path + "/set", cache: folder.path + "/cache"),
      progress: { share, _ in shares.append(share) }
    )
    #expect(shares.first == 0)
    #expect(shares.last == 1)
    #expect(shares == shares.sorted())
  }

  @Test func `an absurd resolution is refused`() throws {
    #expect(line { _ = try Dataset.load(settings("digits", resolution: 0)) }.contains("4 to 1024"))
  }
}
