import Networks
import Runs
import Testing

@testable import Search

@Suite struct LayerwiseSpaceTests {
  private func space(_ preset: String, classes: Int) throws -> LayerwiseSpace {
    let configuration = try Configuration.preset(preset)
    return LayerwiseSpace(
      configuration.space,
      classes: classes,
      channels: 3,
      height: configuration.data.resolution,
      width: configuration.data.resolution
    )
  }

  @Test func `the ImageNet space has the published extremes`() throws {
    // 22 layers, most expensive and cheapest path of FBNet's table 1 with the 1984-wide head.
    let space = try space("imagenet", classes: 1000)
    #expect(space.layers.count == 22)
    let mostExpensive = Architecture(
      space.layers.map { layer in
        layer.indices.max { layer[$0].flops < layer[$1].flops } ?? 0
      }
    )
    let cheapest = Architecture(
      space.layers.map { layer in
        layer.indices.min { layer[$0].flops < layer[$1].flops } ?? 0
      }
    )
    #expect((space.flops(mostExpensive) / 1e5).rounded() == 5726)
    #expect((space.params(mostExpensive) / 1e4).rounded() == 570)
    #expect((space.flops(cheapest) / 1e5).rounded() == 486)
    #expect((space.params(cheapest) / 1e4).rounded() == 276)
  }

  @Test func `twelve distinct layer shapes cover the ImageNet space`() throws {
    let shapes = try space("imagenet", classes: 1000).layers.map {
      [$0[0].input, $0[0].output, $0[0].stride, $0[0].height]
    }
    #expect(Set(shapes).count == 12)
    #expect(shapes.first == [16, 16, 1, 112])
    #expect(shapes.last == [184, 352, 1, 7])
  }

  @Test func `strides halve an odd side upwards`() throws {
    var configuration = try Configuration.preset("digits")
    configuration.data.resolution = 9
    let space = LayerwiseSpace(
      configuration.space,
      classes: 10,
      channels: 1,
      height: 9,
      width: 9
    )
    #expect(space.layers[4][0].height == 5)
  }

  @Test(arguments: ["digits", "cifar", "imagenet"])
  func `an architecture as a network costs what the search counts`(preset: String) throws {
    let space = try space(preset, classes: 10)
    for offset in 0..<9 {
      let chosen = Architecture(
        space.layers.indices.map { ($0 * 5 + offset) % space.layers[$0].count }
      )
      let network = space.network(of: chosen, name: "found")
      #expect(network.blocks.count == space.layers.count + 2)
      #expect(network.flops == space.flops(chosen))
      #expect(network.params == space.params(chosen))
    }
  }

  @Test func `choices know their stage, and the price of every candidate is with them`() throws {
    let space = try space("cifar-small", classes: 10)
    #expect(space.choices.count == 8)
    let prices = space.choicePrices(of: [], latency: nil)
    #expect(prices.map(\.choice) == space.choices.map(\.id))
    #expect(Set(prices.map(\.choice)).count == 8)
    for (price, layer) in zip(prices, space.layers) {
      #expect(price.flops == layer.map(\.flops))
      #expect(price.params == layer.map(\.params))
      #expect(price.latency == nil)
    }
    #expect(space.choices.allSatisfy { $0.kind == .operator })
    #expect(space.choices.prefix(4).map(\.group) == ["stage 1", "stage 2", "stage 2", "stage 3"])
    #expect(space.choices[1].detail == "32x32 16→24 s2")
  }
}
