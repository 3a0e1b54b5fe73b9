/// A part of a network as the inference path runs it, with a map before and behind it.
package struct InferenceLayer {
  /// What a layer is made of.
  package enum Step {
    /// A convolution and what follows it.
    case convolution(FoldedConvolution)
    /// Squeeze-and-excite: x · hsigmoid(restore(reduce(mean of x over all pixels))).
    case squeeze(reduce: FoldedConvolution, restore: FoldedConvolution)
  }

  /// One after the other.
  package var steps: [Step]
  /// Whether the layer's input is added to its output.
  package var isResidual: Bool

  /// Describes a layer.
  package init(_ steps: [Step], isResidual: Bool = false) {
    self.steps = steps
    self.isResidual = isResidual
  }

  /// Its convolutions and linear layers, in the order of their use.
  package var convolutions: [FoldedConvolution] {
    steps.flatMap {
      switch $0 {
      case .convolution(let convolution): [convolution]
      case .squeeze(let reduce, let restore): [reduce, restore]
      }
    }
  }

  /// The convolution of a layer that is a 1×1 and nothing else.
  var pointwise: FoldedConvolution? {
    guard steps.count == 1, !isResidual, case .convolution(let only) = steps[0] else { return nil }
    return only.isPointwise ? only : nil
  }
}

/// The core of an inverted residual, which a stage of its own computes.
struct InvertedCore {
  var expand: FoldedConvolution?
  var depthwise: FoldedConvolution
  var squeeze: (reduce: FoldedConvolution, restore: FoldedConvolution)?
  /// Nil where something else than a linear 1×1 follows.
  var project: FoldedConvolution?

  /// Takes the core off the front of `steps`, if it is there.
  init?(takenFrom steps: inout ArraySlice<InferenceLayer.Step>) {
    var rest = steps
    if case .convolution(let first)? = rest.first, first.isPointwise {
      expand = first
      rest.removeFirst()
    }
    guard case .convolution(let middle)? = rest.first, middle.isDepthwise else { return nil }
    depthwise = middle
    rest.removeFirst()
    steps = rest
    // A gate without a projection behind it is a stage by itself.
    if case .squeeze(let reduce, let restore)? = rest.first {
      squeeze = (reduce, restore)
      rest.removeFirst()
    }
    if case .convolution(let last)? = rest.first, last.isPointwise, last.activation == .none {
      project = last
      rest.removeFirst()
      steps = rest
    } else {
      squeeze = nil
    }
  }
}
