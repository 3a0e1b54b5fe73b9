import Foundation
import Import
import Networks
import Runs
import Tensor
import TestSupport
import Testing

/// Weights of timm and mobile-vision in the program's networks; Fixtures/make_weights.py made what
/// they answer.
@Suite struct ImportedNetworkTests {
  private func withFile<T>(
    _ arrays: [Checkpoint.Tensor],
    _ body: (WeightFile) throws -> T
  ) throws -> T {
    let path = NSTemporaryDirectory() + "\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Checkpoint(tensors: arrays).write(to: path)
    return try body(try WeightFile(path))
  }

  private func imported(
    _ arrays: [Checkpoint.Tensor],
    as name: String,
    classes: Int? = nil,
    epsilon: Double? = nil
  ) throws -> ImportedNetwork {
    let entry = try #require(Zoo.named(name))
    return try withFile(arrays) {
      try ImportedNetwork(
        $0,
        as: entry,
        classes: classes,
        epsilon: epsilon,
        engine: Engine(threads: 2)
      )
    }
  }

  private func scores(_ network: Network, of fixture: ForeignWeights) throws -> [Float] {
    let side = fixture.side
    let description = try #require(
      network.description.adapted(height: side, width: side, channels: 3, classes: 10)
    )
    let engine = Engine(threads: 2)
    let fitted = Network(description, engine: engine, seed: 9)
    try fitted.restore(network.state())
    engine.mode = .inference
    return fitted(
      engine.tensor(fixture.pixels, shape: [ForeignWeights.images, side, side, 3])
    ).values
  }

  @Test func `every network answers as in the program that its weights are of`() throws {
    for fixture in try ForeignWeights.all() {
      let imported = try imported(fixture.arrays, as: fixture.name)
      let found = try scores(imported.network, of: fixture)
      let peak = fixture.scores.map { abs($0) }.max() ?? 0
      let worst = zip(found, fixture.scores).map { abs($0 - $1) }.max() ?? .infinity
      #expect(
        found.count == fixture.scores.count && worst <= 1e-4 * peak,
        "\(fixture.naming) \(fixture.name): \(worst / peak)"
      )
      #expect(imported.naming.rawValue == fixture.naming)
      #expect(imported.ignored.map(\.reason) == ["counts training steps"])
      #expect(
        imported.taken + imported.ignored[0].names.count == fixture.arrays.count,
        "\(fixture.naming) \(fixture.name)"
      )
    }
  }

  @Test func `the layers are those that the other program computes`() throws {
    func layers(_ naming: String, _ name: String) throws -> NetworkDescription {
      let fixture = try #require(try ForeignWeights.of(naming, name))
      return try imported(fixture.arrays, as: name).network.description
    }
    func middles(_ network: NetworkDescription) -> [BlockDescription.Bottleneck] {
      network.blocks.compactMap {
        if case .bottleneck(let middle) = $0.kind { middle } else { nil }
      }
    }
    let v3 = try #require(Zoo.named("FBNetV3_B")).network
    #expect(middles(v3).contains { $0.padding != nil })
    #expect(try middles(layers("timm", "FBNetV3_B")).allSatisfy { $0.padding == nil })
    #expect(try middles(layers("timm", "fbnet_c")).allSatisfy(\.expands))
    let squeezes = try middles(layers("timm", "mobilenet_v3_large")).compactMap(\.squeeze)
    #expect(squeezes.prefix(3).map(\.channels) == [24, 32, 32])
    #expect(squeezes.allSatisfy { $0.inner == .relu })
    let a = try layers("mobile-vision", "FBNetV3_A")
    let zoo = try #require(Zoo.named("FBNetV3_A")).network
    #expect(a.blocks == zoo.blocks && a.height == zoo.height && a.classes == 10)
  }

  @Test func `prefixes go, and a new classifier is random`() throws {
    let fixture = try #require(try ForeignWeights.of("mobile-vision", "fbnet_96"))
    let plain = try imported(fixture.arrays, as: "fbnet_96").network.state()
    let wrapped = fixture.arrays.map {
      Checkpoint.Tensor(name: "module.model." + $0.name, shape: $0.shape, values: $0.values)
    }
    #expect(try imported(wrapped, as: "fbnet_96").network.state() == plain)

    let fresh = try imported(fixture.arrays, as: "fbnet_96", classes: 3)
    #expect(fresh.network.description.classes == 3)
    #expect(fresh.ignored.last?.names == ["head.conv.weight", "head.conv.bias"])
    for array in fresh.network.state() where !array.name.hasPrefix("classifier.") {
      #expect(array == plain[array.name])
    }
    #expect(fresh.network.classifier.value.elements.contains { $0 != 0 })
    // What is left of a file without a classifier.
    let backbone = fixture.arrays.filter { !$0.name.hasPrefix("head.") }
    #expect(try imported(backbone, as: "fbnet_96", classes: 3).ignored.count == 1)

    let raised = try imported(fixture.arrays, as: "fbnet_96", epsilon: 1e-3).network.state()
    let (before, after) = (plain["stem.variance"], raised["stem.variance"])
    for (a, b) in zip(before?.values ?? [], after?.values ?? []) {
      #expect(abs(b - a - 0.00099) < 1e-6)
    }
  }

  @Test func `what does not fit is listed`() throws {
    let arrays = try #require(try ForeignWeights.of("mobile-vision", "fbnet_96")).arrays
    func fault(
      as name: String = "fbnet_96",
      _ change: (inout [Checkpoint.Tensor]) -> Void = { _ in }
    ) throws -> String? {
      var arrays = arrays
      change(&arrays)
      do {
        _ = try imported(arrays, as: name)
        return nil
      } catch let error as UserError {
        #expect(error.code == .data && !error.remedy.isEmpty)
        return error.problem
      }
    }
    #expect(try fault() == nil)
    #expect(try fault(as: "fbnet_c") == "holds 12 blocks, fbnet_c has 23")
    #expect(
      try fault(as: "fbnet_96_2019")
        == "has the names of mobile-vision, but fbnet_96_2019 cannot be: "
        + "mobile-vision has no PyTorch weights of it"
    )
    let first = "backbone.stages.xif0_0"
    #expect(
      try fault {
        $0.removeAll { $0.name == first + ".bn.weight" || $0.name == "head.conv.bias" }
        $0[0].shape = [8, 3, 9, 1]
        $0.append(.init(name: "extra.weight", shape: [1], values: [1]))
        $0.append(.init(name: first + ".bn.extra", shape: [1], values: [1]))
      }
        == "is no fbnet_96 of mobile-vision: it lacks \(first).bn.weight, head.conv.bias; "
        + "it has other shapes: \(first).conv.weight [8, 3, 9, 1], not [8, 3, 3, 3]; "
        + "it has too many: \(first).bn.extra, extra.weight"
    )
    let many = try fault { $0.removeAll { $0.name.contains(".dw.") } }
    #expect(many?.contains("and ") == true && many?.contains(" more") == true)
    #expect(
      try fault { $0[0].values[0] = .nan }
        == "array \(first).conv.weight holds values that are not finite numbers"
    )
    let variance = try #require(arrays.firstIndex { $0.name.hasSuffix("running_var") })
    #expect(
      try fault { $0[variance].values[0] = -1 }
        == "array \(arrays[variance].name) holds variances below 0"
    )
    let foreign = try fault { arrays in
      for index in arrays.indices { arrays[index].name = "features.\(index)" }
    }
    #expect(foreign?.hasPrefix("has the names of neither timm nor mobile-vision, but ") == true)
  }

  @Test func `a network that timm builds of what the program has not is refused`() throws {
    let arrays = try #require(try ForeignWeights.of("timm", "mobilenet_v3_large")).arrays
    let fault = #expect(throws: UserError.self) { try imported(arrays, as: "mobilenet_v2") }
    #expect(fault?.problem.hasSuffix("mobilenetv2_100 has ReLU6, which supertop has not") == true)
    let other = #expect(throws: UserError.self) { try imported(arrays, as: "FBNetV3_A") }
    #expect(other?.problem.hasSuffix("timm has no such network") == true)
  }
}
