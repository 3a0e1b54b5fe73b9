import Tensor

extension Dataset {
  /// A pass over up to `images` of the training images among `indices`, for batch-norm
  /// recalibration.
  ///
  /// The same unchanged images every time, so that what an evaluation finds depends on the weights
  /// alone. A single image that would be a last batch is left out: batches weigh the same, and its
  /// spread is none.
  package func recalibration(
    indices: [Int32],
    images: Int,
    batch: Int,
    seed: UInt64
  ) -> BatchPlan {
    var random = Philox(seed: seed, purpose: .recalibration)
    let order = random.permutation(indices.count).prefix(images)
    return BatchPlan(
      evaluating: train,
      of: self,
      indices: order.dropLast(order.count > batch && order.count % batch == 1 ? 1 : 0)
        .map { indices[Int($0)] },
      batch: batch
    )
  }
}
