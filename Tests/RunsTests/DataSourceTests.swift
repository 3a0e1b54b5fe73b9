import Foundation
import Runs
import Testing

@Suite struct DataSourceTests {
  @Test(
    arguments: [
      ("digits", DataSource.digits, 8, 1), ("digits/", .folder("digits/"), nil, 3),
      ("/data/birds", .folder("/data/birds"), nil, 3), ("cifar10:/data", .cifar10("/data"), 32, 3),
      ("cifar10:", .cifar10(""), 32, 3), ("", .folder(""), nil, 3),
    ] as [(String, DataSource, Int?, Int)]
  )
  func `a text names one source and is its text`(
    text: String,
    source: DataSource,
    resolution: Int?,
    channels: Int
  ) {
    #expect(DataSource(text) == source)
    #expect(source.text == text)
    #expect(source.resolution == resolution && source.channels == channels)
  }

  @Test func `a folder is named from the root`() {
    let here = FileManager.default.currentDirectoryPath
    #expect(DataSource("digits").absolute.text == "digits")
    #expect(DataSource("birds").absolute.text == here + "/birds")
    #expect(DataSource("cifar10:c").absolute.text == "cifar10:" + here + "/c")
    #expect(DataSource("").absolute.text == "")
    #expect(DataSource("cifar10:").absolute.text == "cifar10:")
  }
}
