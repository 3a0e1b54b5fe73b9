/// What a run had come to when so many steps were done (spec S84).
package struct RunMoment: Sendable, Equatable {
  /// Steps that were done.
  package var step: Int
  /// The last of them; nil before the first.
  package var lastStep: StepRecord?
  /// θ then, with its pulls; nil before it moved.
  package var theta: ThetaRecord?

  package init(step: Int, lastStep: StepRecord? = nil, theta: ThetaRecord? = nil) {
    self.step = step
    self.lastStep = lastStep
    self.theta = theta
  }
}
