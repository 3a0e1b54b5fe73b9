import Tensor

/// First values that the candidates of one layer have in common (`weights.candidate_values:
/// aligned`).
///
/// Each candidate is a slice of one wide block with a large kernel: it has the first of the hidden
/// channels and the centre of the depthwise filters. So what follows the layer sees similar
/// features whichever candidate is drawn. To keep them similar where widths differ much, the
/// hidden channels beyond the narrowest candidate's begin close to those that it has, and the rim
/// of a large filter begins small.
struct AlignedStart {
  /// Correlation of the values of a hidden channel with those of the channel that it repeats.
  private static let correlation: Float = 0.9
  /// Factor of the taps that the smallest kernel lacks.
  private static let rim: Float = 0.3

  /// C and D.
  private let (input, output): (Int, Int)
  /// K of the largest and of the smallest kernel.
  private let (kernel, smallest): (Int, Int)
  /// Values by hidden channel: [M, C], [M, K, K] and [M, D].
  private let (expand, depthwise, project): ([Float], [Float], [Float])

  /// Samples the values; all candidates have one input and one output.
  init?(_ candidates: [InvertedResidualWeights], initialiser: inout Initialiser) {
    let widths = candidates.map(\.hidden)
    let kernels = candidates.map { $0.depthwise.shape[0] }
    guard
      let first = candidates.first,
      let widest = widths.max(), let narrowest = widths.min(),
      let kernel = kernels.max(), let smallest = kernels.min()
    else { return nil }
    (input, output) = (first.input, first.output)
    (self.kernel, self.smallest) = (kernel, smallest)
    func values(_ count: Int) -> [Float] {
      let own = initialiser.normals(widest * count)
      let rest = (1 - Self.correlation * Self.correlation).squareRoot()
      return own.indices.map { i in
        let (channel, at) = i.quotientAndRemainder(dividingBy: count)
        if channel < narrowest { return own[i] }
        return rest * own[i] + Self.correlation * own[channel % narrowest * count + at]
      }
    }
    expand = values(input)
    depthwise = values(kernel * kernel)
    project = values(output)
  }

  /// Replaces the values of a candidate, whose arrays keep their deviations.
  func fill(_ candidate: InvertedResidualWeights) {
    let hidden = candidate.hidden
    fill(candidate.expand) { to in
      for c in 0..<hidden {
        for i in 0..<input {
          let at = candidate.expandIndex(i, candidate.expanded(c), input: input)
          if let at { to[at] = expand[c * input + i] }
        }
      }
    }
    let own = candidate.depthwise.shape[0]
    let (margin, rim) = ((kernel - own) / 2, (own - smallest) / 2)
    fill(candidate.depthwise) { to in
      for (y, x) in (0..<own * own).map({ $0.quotientAndRemainder(dividingBy: own) }) {
        let isCentre = min(y, x) >= rim && max(y, x) < own - rim
        for c in 0..<hidden {
          let value = depthwise[(c * kernel + y + margin) * kernel + x + margin]
          to[(y * own + x) * hidden + c] = isCentre ? value : Self.rim * value
        }
      }
    }
    fill(candidate.project) { to in
      for c in 0..<hidden {
        for o in 0..<output {
          if let at = candidate.projectIndex(c, o, output: output) {
            to[at] = project[c * output + o]
          }
        }
      }
    }
  }

  /// Writes values and scales them to the mean square of those that were there.
  private func fill(_ parameter: Parameter, _ write: (UnsafeMutablePointer<Float>) -> Void) {
    let values = UnsafeMutableBufferPointer(
      start: parameter.value.pointer,
      count: parameter.value.count
    )
    let before = values.reduce(0) { $0 + $1 * $1 }
    write(parameter.value.pointer)
    let factor = (before / values.reduce(0) { $0 + $1 * $1 }).squareRoot()
    for i in values.indices { values[i] *= factor }
  }
}

extension Block {
  /// Gives the inverted residuals among the candidates of a layer first values in common.
  package static func align(_ candidates: [Block], initialiser: inout Initialiser) {
    let weights = inverted(candidates).map(\.weights)
    guard let start = AlignedStart(weights, initialiser: &initialiser) else { return }
    for each in weights { start.fill(each) }
  }
}
