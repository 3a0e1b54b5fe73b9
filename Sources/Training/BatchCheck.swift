import Networks
import Runs

extension NetworkDescription {
  /// Refuses a training in which a batch-norm would see one value a channel: less its own mean that
  /// is 0 for every image, so nothing of the image is left.
  ///
  /// `section` leads the keys, `recipe`; `images` are those that train, of which a step takes
  /// `batch`.
  package func checkBatch(
    _ batch: Int,
    recalibration: Int,
    images: Int,
    shards: Int = 1,
    section: String
  ) throws {
    let least = min(batch, images) / shards
    guard least > 0 else {
      throw UserError(
        .configuration,
        "shards: \(shards)",
        "more than the \(Format.counted(min(batch, images), "image")) of a batch",
        remedy: "take fewer shards or larger batches"
      )
    }
    guard blocks.contains(where: { $0.normalisedPixels == 1 }) else { return }
    let (key, remedy) =
      if batch == 1 {
        ("\(section).batch: 1", "set it to 2 or more")
      } else if recalibration == 1 {
        ("\(section).recalibration_images: 1", "set it to 2 or more")
      } else if images == 1 {
        ("\(section).batch: \(batch) of only 1 training image", "add images")
      } else if least == 1, shards > 1 {
        ("shards: \(shards) of a batch of \(min(batch, images))", "take fewer shards")
      } else {
        ("", "")
      }
    guard !key.isEmpty else { return }
    throw UserError(
      .configuration,
      key,
      "on maps of 1x1 batch-norm sees one value a channel, which says nothing about an image",
      remedy: remedy + ", raise the resolution, or take fewer strides"
    )
  }
}
