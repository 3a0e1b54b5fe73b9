import Foundation
import Networks
import Tensor
import TestSupport
import Testing

/// The published networks against their published figures.
@Suite struct ZooTests {
  @Test func `there are 43 networks with names of their own`() {
    #expect(Zoo.entries.count == 43)
    #expect(Set(Zoo.entries.map { $0.network.name.lowercased() }).count == 43)
    #expect(
      Set(Zoo.entries.map(\.network.family)) == ["FBNetV1", "FBNetV2", "FBNetV3", "MobileNet"]
    )
  }

  @Test func `all 28 published figures are met to the last digit`() {
    let published = Zoo.entries.filter { $0.isExact != nil }
    #expect(published.count == 28)
    for entry in published { #expect(entry.isExact == true, "\(entry.network.name)") }
  }

  @Test func `a figure one off in its last digit is no match`() {
    // Published: 378.23344 and 5.52542 millions.
    let entry = Zoo.named("FBNET_C")
    #expect(entry?.network.cost.flops(.zoo) == 378_233_440)
    #expect(entry?.network.cost.flops(.madds) == 378_136_224)
    #expect(entry?.network.cost.params(.zoo) == 5_525_424)
    #expect(entry?.publishedParams == "5.52542")
  }

  @Test func `a network written as JSON reads back the same`() throws {
    for entry in Zoo.entries {
      var read = try NetworkFile.parse(Data(NetworkFile.json(entry.network).utf8))
      read.name = entry.network.name
      #expect(read == entry.network, "\(entry.network.name)")
    }
  }

  @Test func `a network for smaller images keeps its weights but for the classifier`() throws {
    let c = try #require(Zoo.named("fbnet_c")).network
    let small = try #require(c.adapted(height: 32, width: 32, channels: 3, classes: 10))
    #expect(small.params == c.params - Double(1984 * 990))
    #expect(small.end.height == 1)
    // A kernel of 5 without its border does not fit on the last maps.
    let a = try #require(Zoo.named("FBNetV3_A")).network
    #expect(a.adapted(height: 8, width: 8, channels: 3, classes: 10) == nil)
  }

  @Test(arguments: [
    (0.3, 8, 8), (12.0, 8, 16), (11.9, 8, 16), (17.0, 8, 24), (100.0, 8, 104), (2.5, 1, 3),
    (1103.9, 8, 1104), (76.8, 8, 80),
  ])
  func `widths are rounded to multiples`(value: Double, divisor: Int, expected: Int) {
    #expect(divisible(value, by: divisor) == expected)
  }

  /// The figures that the author of the definitions recomputed.
  @Test(.enabled(if: sharedFolder != nil, "needs the shared data: set SUPERTOP_SHARED"))
  func `every part of the costs is the one counted elsewhere`() throws {
    let path = try #require(sharedFolder) + "/reference/architectures.json"
    let data = try #require(FileManager.default.contents(atPath: path))
    let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let models = try #require(json["models"] as? [[String: Any]])
    #expect(models.count == 43)
    for model in models {
      let name = try #require(model["name"] as? String)
      let computed = try #require(model["computed"] as? [String: Int])
      let cost = try #require(Zoo.named(name)).network.cost
      #expect(cost.multiplies == computed["madds"], "\(name)")
      #expect(cost.pooled == computed["pool_elements"], "\(name)")
      #expect(cost.weights == computed["weights"], "\(name)")
      #expect(cost.affine == computed["batch_norm_affine"], "\(name)")
      // A bias before a batch-norm has no effect, and the program leaves it out.
      let blocks = try #require(model["blocks"] as? [[String: Any]])
      let stem = try #require(model["stem"] as? [String: Any])
      let idle = ([stem] + blocks).reduce(0) { $0 + idleBiases($1) }
      #expect(cost.biases + idle == computed["conv_and_linear_biases"], "\(name)")
      #expect(
        cost.params(.withBatchNorm) + idle == computed["trainable_total"],
        "\(name)"
      )
    }
  }

  /// Biases of a block's convolutions that a batch-norm follows.
  private func idleBiases(_ block: [String: Any]) -> Int {
    guard block["conv_bias"] as? Bool == true else { return 0 }
    let output = block["out_channels"] as? Int ?? 0
    let middle = block["mid_channels"] as? Int ?? 0
    switch block["type"] as? String {
    case "conv": return output
    case "ir_pool": return middle
    default: return (block["expand_1x1"] as? Bool == true ? 2 : 1) * middle + output
    }
  }

  @Test(.enabled(if: sharedFolder != nil, "needs the shared data: set SUPERTOP_SHARED"))
  func `the counter is exact on all 6561 chains of a benchmark`() throws {
    let path = try #require(sharedFolder) + "/data/tables/nasbench_macro.csv.gz"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let rows = text.split(whereSeparator: \.isNewline).dropFirst()
    #expect(rows.count == 6561)
    var wrong = 0
    for row in rows {
      let cells = row.split(separator: ",")
      let cost = chain(cells[0]).cost
      if "\(cost.params(.withBatchNorm))" != cells[4] || "\(cost.flops(.madds))" != cells[5] {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  /// A chain of NAS-Bench-Macro: a digit a layer, 0 skip, 1 k3 e3, 2 k5 e6.
  private func chain(_ digits: Substring) -> NetworkDescription {
    var network = NetworkDescription(name: "macro", height: 32, width: 32, channels: 3, classes: 10)
    network.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 32)
    let places = [(64, 2), (128, 3), (256, 3)].flatMap { width, depth in
      (0..<depth).map { (width, $0 == 0 ? 2 : 1) }
    }
    for (digit, (width, stride)) in zip(digits, places) {
      let kernel = digit == "1" ? 3 : 5
      let middle = network.end.channels * (digit == "1" ? 3 : 6)
      network.add(
        digit == "0"
          ? .skip
          : .invertedResidual(kernel: kernel, middle: middle, groups: 1, activation: .relu),
        output: width,
        stride: stride
      )
    }
    network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 1280)
    return network
  }
}
