@testable import Tensor
import Testing

@Suite struct ExpansionPlanTests {
  private func plan(
    images: Int,
    pixels: Int,
    channels: Int,
    blocks: Int,
    active: Range<Int>,
    trains: Bool
  ) -> ExpansionPlan {
    ExpansionPlan(
      activeBranches: [0],
      activeBlocks: Array(active),
      blocks: blocks,
      chunks: Chunks(rows: images, rowFloats: pixels * blocks * 16),
      pixels: pixels,
      channels: channels,
      tileRows: 6,
      depthwiseFloats: trains ? 9 * 16 * blocks : nil,
      skipsZeros: false
    )
  }

  @Test func `groups of images and of blocks fit the cache, or are single`() {
    for pixels in [1, 49, 196, 3136, 12_544] {
      for channels in [8, 40, 112, 352] {
        let plan = plan(
          images: 64,
          pixels: pixels,
          channels: channels,
          blocks: 40,
          active: 3..<31,
          trains: true
        )
        #expect(plan.imageGroup >= 1 && plan.imageGroup <= plan.chunks[0].count)
        #expect(plan.blockGroup >= 1 && plan.blockGroup <= 28)
        let cached = ResidualLayer.cachedFloats
        #expect(
          plan.imageGroup == 1 || plan.imageGroup * pixels * plan.inputStride <= cached
        )
        #expect(plan.blockGroup == 1 || plan.blockGroup * plan.gradientFloats <= cached)
      }
    }
  }

  @Test func `partial sums have room for every block, and frozen weights need the sums alone`() {
    let trained = plan(
      images: 4,
      pixels: 49,
      channels: 20,
      blocks: 5,
      active: 0..<2,
      trains: true
    )
    #expect(trained.inputStride == 32)
    // Four tiles of six rows hold 20 channels, but packed in rows the filter takes 32.
    #expect(trained.filterRows == 32)
    #expect(trained.sumFloats == 2 * 5 * 16)
    #expect(trained.reducedFloats == 2 * 5 * 16 + 5 * 9 * 16)
    #expect(trained.partialFloats == trained.reducedFloats + 5 * 32 * 16)
    let frozen = plan(
      images: 4,
      pixels: 49,
      channels: 20,
      blocks: 5,
      active: 0..<2,
      trains: false
    )
    #expect(frozen.partialFloats == frozen.sumFloats && frozen.reducedFloats == frozen.sumFloats)
  }
}
