import Networks
import Runs
import Testing

@testable import Search

@Suite struct MacroArchitectureTests {
  private func macro(_ preset: String, classes: Int) throws -> MacroArchitecture {
    let configuration = try Configuration.preset(preset)
    return MacroArchitecture(
      configuration.space,
      classes: classes,
      channels: 3,
      height: configuration.data.resolution,
      width: configuration.data.resolution
    )
  }

  @Test func `the ImageNet space has the published extremes`() throws {
    // 22 layers, dearest and cheapest path of FBNet's table 1 with the 1984-wide head.
    let macro = try macro("imagenet", classes: 1000)
    #expect(macro.layers.count == 22)
    let dearest = macro.layers.map { layer in
      layer.indices.max { layer[$0].flops < layer[$1].flops } ?? 0
    }
    let cheapest = macro.layers.map { layer in
      layer.indices.min { layer[$0].flops < layer[$1].flops } ?? 0
    }
    #expect((macro.flops(dearest) / 1e5).rounded() == 5726)
    #expect((macro.params(dearest) / 1e4).rounded() == 570)
    #expect((macro.flops(cheapest) / 1e5).rounded() == 486)
    #expect((macro.params(cheapest) / 1e4).rounded() == 276)
  }

  @Test func `twelve distinct layer shapes cover the ImageNet space`() throws {
    let shapes = try macro("imagenet", classes: 1000).layers.map {
      [$0[0].input, $0[0].output, $0[0].stride, $0[0].height]
    }
    #expect(Set(shapes).count == 12)
    #expect(shapes.first == [16, 16, 1, 112])
    #expect(shapes.last == [184, 352, 1, 7])
  }

  @Test func `strides halve an odd side upwards`() throws {
    var configuration = try Configuration.preset("digits")
    configuration.data.resolution = 9
    let macro = MacroArchitecture(
      configuration.space,
      classes: 10,
      channels: 1,
      height: 9,
      width: 9
    )
    #expect(macro.layers[4][0].height == 5)
  }

  @Test(arguments: ["digits", "cifar", "imagenet"])
  func `an architecture as a network costs what the search counts`(preset: String) throws {
    let macro = try macro(preset, classes: 10)
    for offset in 0..<9 {
      let chosen = macro.layers.indices.map { ($0 * 5 + offset) % macro.layers[$0].count }
      let network = macro.network(chosen, name: "found")
      #expect(network.blocks.count == macro.layers.count + 2)
      #expect(network.flops == macro.flops(chosen))
      #expect(network.params == macro.params(chosen))
    }
  }

  @Test func `choices know their stage, and the price of every candidate is beside them`() throws {
    let macro = try macro("cifar-small", classes: 10)
    #expect(macro.choices.count == 8)
    let prices = macro.choicePrices(latency: nil)
    #expect(prices.map(\.choice) == macro.choices.map(\.id))
    #expect(Set(prices.map(\.choice)).count == 8)
    for (price, layer) in zip(prices, macro.layers) {
      #expect(price.flops == layer.map(\.flops))
      #expect(price.params == layer.map(\.params))
      #expect(price.latency == nil)
    }
    #expect(macro.choices.allSatisfy { $0.kind == .operator })
    #expect(macro.choices.prefix(4).map(\.group) == ["stage 1", "stage 2", "stage 2", "stage 3"])
    #expect(macro.choices[1].detail == "32x32 16→24 s2")
  }
}
