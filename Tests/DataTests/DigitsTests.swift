import Testing

@testable import Data

struct DigitsTests {
  @Test func `the digits split into 1437 and 360 images, the same for good`() throws {
    let dataset = try Dataset.load(settings("digits"))
    #expect(dataset.train.count == 1437)
    #expect(dataset.test.count == 360)
    #expect(dataset.train.counts(classes: 10).reduce(0, +) == 1437)
    #expect(dataset.test.counts(classes: 10).allSatisfy { (34...37).contains($0) })
    let (_, labels) = Digits.rows()
    var fingerprint = Fingerprint()
    for row in Digits.testRows(labels: labels) { fingerprint.combine(UInt64(row)) }
    #expect(labels.count == 1797)
    #expect(fingerprint.text == "8868a60e2cc794e5")
  }

  @Test func `grey levels 0 to 16 become bytes 0 to 255`() {
    let (pixels, labels) = Digits.rows()
    // The first row of the file begins 0,0,5,13,9,1 and is a nought.
    #expect(Array(pixels[..<6]) == [0, 0, 80, 207, 143, 16])
    #expect(pixels.max() == 255)
    #expect(Array(labels[..<4]) == [0, 1, 2, 3])
  }

  @Test func `statistics are those of the training images in 0 to 1`() throws {
    let dataset = try Dataset.load(settings("digits"))
    let bytes = dataset.train.withBytes { $0.map { Double($0) / 255 } }
    let mean = bytes.reduce(0, +) / Double(bytes.count)
    let variance = bytes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(bytes.count)
    #expect(abs(Double(dataset.mean[0]) - mean) < 1e-6)
    #expect(abs(Double(dataset.standardDeviation[0]) - variance.squareRoot()) < 1e-6)
  }

  @Test func `digits are never mirrored and may be asked for at 16 pixels`() throws {
    let dataset = try Dataset.load(settings("digits", resolution: 16))
    #expect(try !Augmentation(settings("digits"), for: dataset).flip)
    let batch = BatchPlan(evaluating: dataset.test, of: dataset, batch: 2).batch(0)
    #expect(batch.pixels.count == 2 * 16 * 16)
    #expect(dataset.train.side == 8)
  }

  @Test func `the description counts each class and credits the authors`() throws {
    let text = try Dataset.load(settings("digits")).describe()
    #expect(text.contains("1437 for training, 360 for testing"))
    #expect(text.contains("E. Alpaydin and C. Kaynak"))
    #expect(text.contains("CC BY 4.0"))
    #expect(text.split(separator: "\n").count { $0.hasPrefix("3 ") } == 1)
  }
}
