import Foundation
import Testing

@testable import Data

struct DecoderTests {
  private let pixels = Picture.pixels(width: 20, height: 10, seed: 1)

  private func problem(_ file: Foundation.Data) -> String {
    do {
      _ = try ImageDecoder.decode(file)
      return "none"
    } catch {
      return (error as? BadImage)?.problem ?? "\(error)"
    }
  }

  @Test func `a PNG comes back bit for bit`() throws {
    let image = try ImageDecoder.decode(Picture.png(pixels, width: 20, height: 10))
    #expect(image.width == 20)
    #expect(image.height == 10)
    #expect(image.pixels == pixels)
  }

  @Test func `a JPEG comes back within its losses, red first`() throws {
    let image = try ImageDecoder.decode(Picture.jpeg(pixels, width: 20, height: 10))
    #expect(image.pixels.count == pixels.count)
    let worst = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst < 16)
  }

  @Test func `transparent parts of a PNG come out white`() throws {
    let clear = Picture.png([10, 20, 30, 0, 40, 50, 60, 255], width: 2, height: 1, alpha: true)
    #expect(try ImageDecoder.decode(clear).pixels == [255, 255, 255, 40, 50, 60])
  }

  @Test func `a JPEG cut anywhere is bad`() {
    let file = Picture.jpeg(pixels, width: 20, height: 10)
    for keep in [3, 40, file.count / 2, file.count - 30, file.count - 2] {
      #expect(problem(file.prefix(keep)) != "none", "cut to \(keep) of \(file.count) bytes")
    }
    #expect(problem(file.prefix(file.count - 30)).contains("truncated JPEG"))
  }

  @Test func `a PNG cut within its pixels or with a flipped bit is bad`() {
    let file = Picture.png(pixels, width: 20, height: 10)
    #expect(problem(file.prefix(file.count / 2)).contains("PNG"))
    #expect(problem(file.prefix(20)).contains("PNG"))
    var flipped = file
    flipped[file.count / 2] ^= 0x10
    #expect(problem(flipped).contains("truncated or corrupt PNG"))
  }

  @Test(arguments: [false, true])
  func `stray bytes before a marker cost no pixel and are counted`(isProgressive: Bool) throws {
    let file = Picture.jpeg(pixels, width: 20, height: 10, isProgressive: isProgressive)
    let clean = try ImageDecoder.decode(file)
    #expect(clean.strayBytes == 0)
    // Before every marker but the first: of tables, of each scan, of the end.
    let places = file.indices.dropFirst(2).dropLast().filter {
      file[$0] == 0xFF && file[$0 + 1] >= 0xC0 && file[$0 - 1] != 0xFF
    }
    #expect(places.count >= (isProgressive ? 12 : 6))
    let scan = try #require(places.first { file[$0 + 1] == 0xDA })
    for place in places {
      for stray in [[0x00], [0x12, 0x34, 0x56], Array(1...254)] as [[UInt8]] {
        let image = try ImageDecoder.decode(
          Foundation.Data(file[..<place] + stray + file[place...])
        )
        #expect(image.pixels == clean.pixels)
        // The decoder takes a few bytes behind a scan in advance, and drops them without a word.
        let isAfterScan = place > scan
        #expect(isAfterScan || image.strayBytes == stray.count, "before byte \(place)")
        #expect(stray.count < 100 || image.strayBytes > 0, "before byte \(place)")
      }
    }
    let trailed = try ImageDecoder.decode(file + Foundation.Data("a trailer".utf8))
    #expect(trailed.pixels == clean.pixels && trailed.strayBytes == 0)
  }

  @Test func `a JPEG that lacks pixels is bad however it ends`() {
    let side = 64
    let noise = (0..<side * side * 3).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) }
    for isProgressive in [false, true] {
      let file = Picture.jpeg(noise, width: side, height: side, isProgressive: isProgressive)
      for share in [0.3, 0.6, 0.9] {
        let cut = file.prefix(Int(Double(file.count) * share))
        for end in [[], [0xFF, 0xD9], [0, 0, 0xFF, 0xD9]] as [[UInt8]] {
          #expect(problem(cut + end) != "none", "\(share) of it, then \(end)")
        }
      }
    }
  }

  @Test func `16 bits a channel are the levels of 8 bits, tagged and untagged`() throws {
    let tags: [(String, [Foundation.Data])] = [
      ("none", []), ("sRGB", [Picture.chunk("sRGB", [0])]),
      ("gAMA 1/2.2", [Picture.chunk("gAMA", Picture.word(45455))]),
      ("gAMA 1", [Picture.chunk("gAMA", Picture.word(100_000))]),
      (
        "cHRM",
        [
          Picture.chunk(
            "cHRM",
            [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000].flatMap(Picture.word)
          )
        ]
      ),
    ]
    // Colour type and the samples of a pixel but for alpha.
    let kinds: [(UInt8, [Int], Bool)] = [
      (0, [64], false), (4, [64], true), (2, [64, 128, 200], false), (6, [64, 128, 200], true),
    ]
    for (name, chunks) in tags {
      for (colour, samples, hasAlpha) in kinds {
        for alpha in hasAlpha ? [255, 128] : [255] {
          let all = samples + (hasAlpha ? [alpha] : [])
          func pixel(_ depth: Int) throws -> [Int] {
            let file = Picture.png(
              flat: all.map { depth == 16 ? $0 * 257 : $0 },
              side: 3,
              colour: colour,
              depth: depth,
              chunks: chunks
            )
            return try ImageDecoder.decode(file).pixels[..<3].map(Int.init)
          }
          let (narrow, wide) = (try pixel(8), try pixel(16))
          #expect(
            zip(narrow, wide).allSatisfy { abs($0 - $1) <= 1 },
            "\(name), colour \(colour), alpha \(alpha): \(narrow) and \(wide)"
          )
          if name != "gAMA 1", alpha == 255 {
            #expect(wide == (samples.count == 1 ? [64, 64, 64] : samples), "\(name), \(colour)")
          }
        }
      }
    }
  }

  @Test func `empty files and other formats are told apart from damage`() {
    #expect(problem(Foundation.Data()) == "the file is empty")
    #expect(problem(Foundation.Data("GIF89a".utf8)).contains("neither a JPEG nor a PNG"))
  }

  @Test func `sizes are read from headers alone`() throws {
    let jpeg = Picture.jpeg(pixels, width: 20, height: 10)
    #expect(try ImageDecoder.size(jpeg.prefix(jpeg.count - 50)) == (20, 10))
    #expect(try ImageDecoder.size(Picture.png(pixels, width: 20, height: 10)) == (20, 10))
  }
}

struct ResamplerTests {
  private func resize(_ input: [UInt8], _ width: Int, _ height: Int, to side: Int) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: side * side)
    let resampler = Resampler(width: width, height: height, channels: 1, side: side)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        guard let input = input.baseAddress, let output = output.baseAddress else { return }
        resampler.resize(input, into: output)
      }
    }
    return output
  }

  @Test func `the same size is a copy of the centre`() {
    #expect(resize([1, 2, 3, 4, 5, 6], 3, 2, to: 2) == [1, 2, 4, 5])
    #expect(resize([1, 2, 3, 4, 5, 6, 7, 8], 4, 2, to: 2) == [2, 3, 6, 7])
  }

  @Test func `halving averages squares of four`() {
    let input: [UInt8] = [0, 4, 10, 10, 8, 4, 10, 10, 100, 100, 0, 0, 100, 100, 0, 4]
    #expect(resize(input, 4, 4, to: 2) == [4, 10, 100, 1])
  }

  @Test func `a fractional ratio weighs pixels by their area`() {
    // 3 to 2: each output covers one and a half pixels.
    let row: [UInt8] = [30, 60, 90]
    #expect(resize(row + row + row, 3, 3, to: 2) == [40, 80, 40, 80])
  }

  @Test func `doubling is bilinear about pixel centres`() {
    #expect(resize([0, 100, 0, 100], 2, 2, to: 4)[..<4] == [0, 25, 75, 100])
  }

  @Test func `flat images stay flat at all sizes`() {
    for from in 1...12 {
      for to in 1...12 {
        let input = [UInt8](repeating: 77, count: from * from)
        #expect(resize(input, from, from, to: to).allSatisfy { $0 == 77 }, "\(from) to \(to)")
      }
    }
  }
}
