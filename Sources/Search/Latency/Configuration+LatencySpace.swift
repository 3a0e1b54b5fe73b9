import Runs

extension Configuration.Space {
  /// The networks to choose from, for images of `channels` × `height` × `width`.
  package func laidOut(classes: Int, channels: Int, height: Int, width: Int) -> any LatencySpace {
    if let masked {
      MaskedSpace(
        self,
        masked,
        classes: classes,
        channels: channels,
        height: height,
        width: width
      )
    } else {
      LayerwiseSpace(self, classes: classes, channels: channels, height: height, width: width)
    }
  }
}
