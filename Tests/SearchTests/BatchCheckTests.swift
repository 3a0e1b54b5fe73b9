import Data
import Foundation
import Networks
import Runs
import TestSupport
import Testing

@testable import Search
@testable import Training

/// Batch-norm over one value a channel is refused before the first step, and nothing else is.
struct BatchCheckTests {
  /// A network whose last map has a side of `side`; in `pool` it ends in a mean before the last
  /// layer.
  private func network(side: Int, pool: Bool = false) throws -> NetworkDescription {
    let last = pool ? "{\"pool\": true, \"middle\": 16, \"width\": 16}" : ""
    let json = """
      {"name": "n", "resolution": \(4 * side), "channels": 1, "classes": 10, "layers": [
        {"convolution": true, "kernel": 3, "width": 8, "stride": 2},
        {"kernel": 3, "expansion": 2, "width": 8, "stride": 2}\(last.isEmpty ? "" : ", " + last)]}
      """
    return try NetworkFile.parse(Foundation.Data(json.utf8))
  }

  private func fault(
    _ network: NetworkDescription,
    batch: Int = 64,
    recalibration: Int = 64,
    images: Int = 1000
  ) -> UserError? {
    do {
      try network.checkBatch(
        batch,
        recalibration: recalibration,
        images: images,
        section: "recipe"
      )
      return nil
    } catch {
      return error as? UserError
    }
  }

  @Test(arguments: [false, true])
  func `one image on maps of one pixel is refused, two or larger maps are not`(pool: Bool) throws {
    let small = try network(side: 1, pool: pool)
    #expect(fault(small, batch: 1)?.place == "recipe.batch: 1")
    #expect(fault(small, batch: 1)?.problem.contains("one value a channel") == true)
    #expect(fault(small, recalibration: 1)?.place == "recipe.recalibration_images: 1")
    #expect(fault(small, images: 1)?.place.contains("recipe.batch") == true)
    #expect(fault(small, batch: 2, recalibration: 2, images: 2) == nil)
    let large = try network(side: 2, pool: pool)
    #expect(fault(large, batch: 1, recalibration: 1, images: 1) == nil)
  }

  @Test func `a mean before layers without batch-norm does no harm`() throws {
    // Squeeze-and-excite and a pooling tail work on one pixel, but only with biases.
    let json = """
      {"name": "n", "resolution": 4, "channels": 1, "classes": 10, "layers": [
        {"convolution": true, "kernel": 3, "width": 8, "stride": 2},
        {"kernel": 3, "expansion": 2, "width": 8, "squeeze": 4},
        {"pool": true, "middle": 16, "width": 16}]}
      """
    let network = try NetworkFile.parse(Foundation.Data(json.utf8))
    #expect(network.end.height == 1)
    #expect(fault(network, batch: 1, recalibration: 1) == nil)
  }

  @Test func `a search on such maps is refused as a training is`() throws {
    let stages = "[{width: 8, depth: 1, stride: 2}, {width: 16, depth: 1, stride: 2}]"
    func task(_ batch: Int, stride: Int) throws -> SearchTask {
      let settings = try Configuration.preset(
        "digits",
        overrides: [
          "batch=\(batch)", "space.stem.width=8", "space.stem.stride=\(stride)", "space.head=16",
          "space.stages=\(stages)", "space.candidates=[k3_e1, skip]",
        ]
      )
      return try SearchTask(settings, data: TinyNetwork.digits)
    }
    let error = #expect(throws: UserError.self) { try task(1, stride: 2) }
    #expect(error?.place == "search.batch: 1")
    #expect(throws: Never.self) { try task(2, stride: 2) }
    #expect(throws: Never.self) { try task(1, stride: 1) }
  }

  @Test func `a recalibration has no last batch of a single image`() {
    let data = TinyNetwork.digits
    func counts(_ images: Int, batch: Int) -> [Int] {
      let plan = data.recalibration(
        indices: Array(0..<1437),
        images: images,
        batch: batch,
        seed: 1
      )
      return (0..<plan.count).map { plan.batch($0).count }
    }
    #expect(counts(9, batch: 4) == [4, 4])
    #expect(counts(10, batch: 4) == [4, 4, 2])
    #expect(counts(1, batch: 4) == [1])
    #expect(counts(3, batch: 1) == [1, 1, 1])
  }
}
