import Tensor

/// Masks and resolutions of the engine under test.
extension EngineGraph {
  package func channelMask(_ weights: Node, widths: [Int], forward: [Float]?) -> Node {
    push(engine.channelMask(tensors[weights.index], widths: widths, forward: forward))
  }

  package func tapMask(_ weights: Node, sides: [Int], forward: [Float]?) -> Node {
    push(engine.tapMask(tensors[weights.index], sides: sides, forward: forward))
  }

  package func mask(_ x: Node, by mask: Node) -> Node {
    push(engine.mask(tensors[x.index], by: tensors[mask.index]))
  }

  package func mixActivations(
    _ x: Node,
    _ activations: [Norm],
    weights: Node,
    forward: [Float]?
  ) -> Node {
    push(
      engine.mixActivations(
        tensors[x.index],
        activations.map(\.activation),
        weights: tensors[weights.index],
        forward: forward
      )
    )
  }

  package func subsample(_ x: Node, to size: MapSize) -> Node {
    push(engine.subsample(tensors[x.index], to: size))
  }

  package func subsample(_ x: Node, to size: MapSize, _ name: String, norm: Norm) -> Node {
    let x = tensors[x.index]
    guard let norms = batchNorm(name, norm, x.channels) else {
      preconditionFailure("subsample: no norm")
    }
    return push(engine.subsample(x, to: size, norm: norms, activation: norm.activation))
  }

  package func scatter(_ x: Node, to size: MapSize) -> Node {
    push(engine.scatter(tensors[x.index], to: size))
  }

  package func resolutionSum(
    _ x: Node,
    sizes: [MapSize],
    weights: Node,
    forward: [Float]?,
    inputs: [Node],
    to size: MapSize,
    _ body: @escaping (Node) -> Node
  ) -> Node {
    push(
      engine.resolutionSum(
        tensors[x.index],
        sizes: sizes,
        weights: tensors[weights.index],
        forward: forward,
        inputs: inputs.map { tensors[$0.index] },
        to: size
      ) { [unowned self] in
        let y = body(push($0))
        return tensors[y.index]
      }
    )
  }

  package func checkpoint(_ inputs: [Node], _ body: @escaping () -> Node) -> Node {
    push(
      engine.checkpoint(inputs.map { tensors[$0.index] }) { [unowned self] in
        let y = body()
        return tensors[y.index]
      }
    )
  }
}
