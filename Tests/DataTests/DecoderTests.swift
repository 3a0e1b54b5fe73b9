import Foundation
import Testing

@testable import Data

struct DecoderTests {
  private let pixels = Picture.pixels(width: 20, height: 10, seed: 1)

  private func problem(_ file: Foundation.Data) -> String {
    do {
      _ = try ImageDecoder().decode(file)
      return "none"
    } catch {
      return (error as? BadImage)?.problem ?? "\(error)"
    }
  }

  @Test func `a PNG comes back bit for bit`() throws {
    let image = try ImageDecoder().decode(Picture.png(pixels, width: 20, height: 10))
    #expect(image.width == 20)
    #expect(image.height == 10)
    #expect(image.pixels == pixels)
  }

  @Test func `a JPEG comes back within its losses, red first`() throws {
    let image = try ImageDecoder().decode(Picture.jpeg(pixels, width: 20, height: 10))
    #expect(image.pixels.count == pixels.count)
    let worst = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst < 16)
  }

  @Test func `transparent parts of a PNG come out white`() throws {
    let clear = Picture.png([10, 20, 30, 0, 40, 50, 60, 255], width: 2, height: 1, alpha: true)
    #expect(try ImageDecoder().decode(clear).pixels == [255, 255, 255, 40, 50, 60])
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

  @Test func `empty files and other formats are told apart from damage`() {
    #expect(problem(Foundation.Data()) == "the file is empty")
    #expect(problem(Foundation.Data("GIF89a".utf8)).contains("neither a JPEG nor a PNG"))
  }

  @Test func `sizes are read from headers alone`() throws {
    let decoder = ImageDecoder()
    let jpeg = Picture.jpeg(pixels, width: 20, height: 10)
    #expect(try decoder.size(jpeg.prefix(jpeg.count - 50)) == (20, 10))
    #expect(try decoder.size(Picture.png(pixels, width: 20, height: 10)) == (20, 10))
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
