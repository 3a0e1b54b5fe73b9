import Kernels

/// What the passes over a layer of inverted residuals are told to a profile as.
///
/// The arithmetic is that of the convolutions; what is computed again to spare memory counts for
/// nothing.
extension ResidualLayer {
  /// Products of the expansions of some branches, once over all pixels, and of their depthwise
  /// convolutions.
  private func expandArithmetic(_ active: [Int]) -> Int {
    active.reduce(0) {
      let branch = branches[$1]
      let expansion = inputPixels * input * branch.hidden / branch.weights.groups
      let depthwise = outputPixels * branch.geometry.kernel * branch.geometry.kernel * branch.hidden
      return $0 + 2 * images * (expansion + depthwise)
    }
  }

  private func projectionArithmetic(_ active: [Int]) -> Int {
    active.reduce(0) {
      let branch = branches[$1]
      return $0 + 2 * images * outputPixels * branch.hidden * output / branch.weights.groups
    }
  }

  /// Floats of the raw depthwise output of some branches.
  private func hiddenFloats(_ active: [Int]) -> Int {
    active.reduce(0) { $0 + branches[$1].blocks.count } * blockFloats
  }

  /// Floats of the outputs of some branches.
  private func outputFloats(_ active: [Int]) -> Int {
    active.count * images * outputPixels * output
  }

  var momentsWork: Work {
    Work("input moments", .forward, arithmetic: 2 * x.count * input, floats: x.count)
  }

  var expandWork: Work {
    let all = Array(branches.indices)
    return Work(
      "expand, depthwise",
      .forward,
      arithmetic: expandArithmetic(all),
      floats: x.count + hiddenFloats(all)
    )
  }

  var projectWork: Work {
    let all = Array(branches.indices)
    return Work(
      "project",
      .forward,
      arithmetic: projectionArithmetic(all),
      floats: hiddenFloats(all) + outputFloats(all)
    )
  }

  func projectBackwardWork(_ active: [Int]) -> Work {
    Work(
      "project",
      .backward,
      arithmetic: 2 * projectionArithmetic(active),
      floats: hiddenFloats(active) + 2 * outputFloats(active)
    )
  }

  func expandBackwardWork(_ active: [Int]) -> Work {
    Work(
      "expand, depthwise",
      .backward,
      arithmetic: 2 * expandArithmetic(active),
      floats: hiddenFloats(active) + 2 * outputFloats(active) + 2 * x.count
    )
  }

  var momentsBackwardWork: Work {
    Work("input moments", .backward, arithmetic: 2 * x.count * input, floats: 3 * x.count)
  }

  /// Weights moved between the trainer's layout and the kernels'.
  func packWork(_ direction: Work.Direction) -> Work {
    Work("filter packing", direction, floats: 2 * blocks.count * blockWidth * input)
  }

  /// Partial sums of `chunks` chunks added up, `count` floats each.
  func sumsWork(chunks: Int, count: Int) -> Work {
    Work("filter sums", .backward, arithmetic: chunks * count, floats: (chunks + 1) * count)
  }
}
