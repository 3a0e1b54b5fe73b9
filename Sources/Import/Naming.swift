import Networks

/// The names that another program gives to the arrays of its networks.
package enum Naming: String, Sendable {
  /// PyTorch Image Models, `EfficientNet` and `MobileNetV3`.
  case timm
  /// Facebook's mobile-vision, `FBNet`.
  case mobileVision = "mobile-vision"

  /// The program whose names these are; nil for another one's.
  init?(of names: some Sequence<String>) {
    if names.contains(where: { Naming.mobileVision.place($0) != nil }) {
      self = .mobileVision
    } else if names.contains("conv_stem.weight") {
      self = .timm
    } else {
      return nil
    }
  }

  /// The block that an array belongs to; nil for those of stem, head and classifier that have no
  /// number.
  func place(_ name: String) -> Place? {
    let parts = name.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    switch self {
    case .timm:
      guard parts[0] == "blocks", let stage = Int(parts[1]), let block = Int(parts[2]) else {
        return nil
      }
      return Place(stage: stage, block: block)
    case .mobileVision:
      guard parts[0] == "backbone", parts[1] == "stages", parts[2].hasPrefix("xif") else {
        return nil
      }
      let numbers = parts[2].dropFirst(3).split(separator: "_").map { Int($0) }
      guard numbers.count == 2, let stage = numbers[0], let block = numbers[1] else { return nil }
      return Place(stage: stage, block: block)
    }
  }

  /// A block's number.
  struct Place: Hashable, Comparable {
    var stage: Int
    var block: Int

    static func < (a: Place, b: Place) -> Bool { (a.stage, a.block) < (b.stage, b.block) }
  }

  /// Whether a block has arrays under a number of its own.
  func numbers(_ block: BlockDescription, at index: Int, in network: NetworkDescription) -> Bool {
    if case .skip = block.kind, block.keepsShape { return false }
    let name = Network.name(of: index, in: network)
    return self == .mobileVision || (name != "stem" && name != "head")
  }

  /// Where an array stands, and the batch-norm behind it.
  struct Module: Equatable {
    var convolution: String
    var norm = ""
  }

  /// What a part of a block is called.
  ///
  /// - Parameters:
  ///   - part: what stands between the block's name and `weight`: `expand`, `squeeze.reduce`; empty
  ///     for a convolution that is a block.
  ///   - block: the block; nil for the classifier.
  ///   - name: the program's name of the block.
  ///   - place: its number in the file, if it has one.
  /// - Returns: the name of a convolution that has no batch-norm goes with an empty one.
  func module(
    _ part: String,
    of block: BlockDescription?,
    _ name: String,
    at place: Place?
  ) -> Module {
    switch self {
    case .timm: timm(part, of: block, name, at: place)
    case .mobileVision: mobileVision(part, of: block, at: place)
    }
  }

  private func timm(
    _ part: String,
    of block: BlockDescription?,
    _ name: String,
    at place: Place?
  ) -> Module {
    let prefix = place.map { "blocks.\($0.stage).\($0.block)." } ?? ""
    func module(_ convolution: String, _ norm: String) -> Module {
      Module(convolution: prefix + convolution, norm: prefix + norm)
    }
    let expands = if case .bottleneck(let middle) = block?.kind { middle.expands } else { false }
    let isPool = if case .pool = block?.kind { true } else { false }
    switch part {
    case "" where name == "stem": return module("conv_stem", "bn1")
    case "" where name == "head": return module("conv_head", "bn2")
    case "expand" where isPool: return module("conv", "bn1")
    case "project" where isPool: return Module(convolution: "conv_head")
    case "expand": return module("conv_pw", "bn1")
    case "depthwise": return module("conv_dw", expands ? "bn2" : "bn1")
    case "squeeze.reduce": return module("se.conv_reduce", "")
    case "squeeze.restore": return module("se.conv_expand", "")
    case "project": return expands ? module("conv_pwl", "bn3") : module("conv_pw", "bn2")
    default: return Module(convolution: "classifier")
    }
  }

  private func mobileVision(
    _ part: String,
    of block: BlockDescription?,
    at place: Place?
  ) -> Module {
    guard let place else { return Module(convolution: "head.conv") }
    let prefix = "backbone.stages.xif\(place.stage)_\(place.block)."
    func module(_ name: String) -> Module {
      Module(convolution: prefix + name + "conv", norm: prefix + name + "bn")
    }
    switch part {
    case "expand": return module("pw.")
    case "depthwise": return module("dw.")
    case "squeeze.reduce": return Module(convolution: prefix + "se.se.0.conv")
    case "squeeze.restore": return Module(convolution: prefix + "se.se.1")
    case "project": return if case .skip = block?.kind { module("conv.") } else { module("pwl.") }
    default: return module("")
    }
  }
}
