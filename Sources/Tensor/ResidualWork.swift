import Kernels

/// What the passes over a layer of inverted residuals are told to a profile as.
///
/// FLOPs are those of the convolutions; what is computed again to spare memory counts for nothing.
extension ResidualLayer {
  /// Products of the expansions, once over all pixels.
  private var expansionFlops: Int {
    branches.reduce(0) { $0 + 2 * images * inputPixels * input * $1.middle / $1.weights.groups }
  }

  private var depthwiseFlops: Int {
    branches.reduce(0) {
      $0 + 2 * images * outputPixels * $1.geometry.kernel * $1.geometry.kernel * $1.middle
    }
  }

  private func projectionFlops(_ active: [Int]) -> Int {
    active.reduce(0) {
      let branch = branches[$1]
      return $0 + 2 * images * outputPixels * branch.middle * output / branch.weights.groups
    }
  }

  /// Floats of the depthwise output of some branches.
  private func middleFloats(_ active: [Int]) -> Int {
    active.reduce(0) { $0 + branches[$1].blocks.count } * blockFloats
  }

  /// Floats of the outputs of some branches.
  private func outputFloats(_ active: [Int]) -> Int {
    active.count * images * outputPixels * output
  }

  var momentsWork: Work {
    Work("input moments", .forward, flops: 2 * x.count * input, floats: x.count)
  }

  var expandWork: Work {
    Work(
      "expand, depthwise",
      .forward,
      flops: expansionFlops + depthwiseFlops,
      floats: x.count + middleFloats(Array(branches.indices))
    )
  }

  var projectWork: Work {
    let all = Array(branches.indices)
    return Work(
      "project",
      .forward,
      flops: projectionFlops(all),
      floats: middleFloats(all) + outputFloats(all)
    )
  }

  func projectBackwardWork(_ active: [Int]) -> Work {
    Work(
      "project",
      .backward,
      flops: 2 * projectionFlops(active),
      floats: middleFloats(active) + 2 * outputFloats(active)
    )
  }

  func expandBackwardWork(_ active: [Int]) -> Work {
    let all = max(1, middleFloats(Array(branches.indices)))
    let flops = 2 * (expansionFlops + depthwiseFlops)
    return Work(
      "expand, depthwise",
      .backward,
      flops: flops / all * middleFloats(active),
      floats: middleFloats(active) + 2 * outputFloats(active) + 2 * x.count
    )
  }

  var momentsBackwardWork: Work {
    Work("input moments", .backward, flops: 2 * x.count * input, floats: 3 * x.count)
  }

  /// Weights moved between the trainer's layout and the kernels'.
  func packWork(_ direction: Work.Direction) -> Work {
    Work("filter packing", direction, floats: 2 * blocks.count * blockWidth * input)
  }

  /// Partial sums of `chunks` chunks added up, `count` floats each.
  func sumsWork(chunks: Int, count: Int) -> Work {
    Work("filter sums", .backward, flops: chunks * count, floats: (chunks + 1) * count)
  }
}
