/// Where each epoch begins and how long it is, in steps: those of the warm-up are shorter.
struct EpochSpans: Sendable, Equatable {
  /// Steps done at the end of each epoch that has ended.
  private var ends: [Int] = []
  /// Steps of the epoch under way.
  var present = 1 { didSet { present = min(max(1, present), Self.most) } }
  /// Epochs and steps of one beyond which a store cannot be right; their product is still a number.
  private static let most = 1_000_000_000

  /// Steps done before `epoch`.
  func start(of epoch: Int) -> Int {
    if epoch <= ends.count { return epoch > 0 ? ends[epoch - 1] : 0 }
    return (ends.last ?? 0) + (min(epoch, Self.most) - ends.count) * present
  }

  /// Steps of `epoch`.
  func length(of epoch: Int) -> Int {
    max(1, ends.indices.contains(epoch) ? ends[epoch] - start(of: epoch) : present)
  }

  /// Notes that `epoch` has ended after `step` steps in all; later ends no longer hold.
  mutating func end(_ epoch: Int, at step: Int) {
    guard epoch >= 0, epoch <= ends.count else { return }
    ends.removeLast(ends.count - epoch)
    ends.append(step)
  }

  /// The epoch under way after so many steps, and the steps of it.
  func place(of step: Int) -> (epoch: Int, position: Int) {
    let epoch = ends.firstIndex { $0 > step } ?? ends.count
    let rest = step - start(of: epoch)
    guard epoch == ends.count, present > 0 else { return (epoch, rest) }
    return (epoch + rest / present, rest % present)
  }

  /// Epochs done after so many steps, with the part of the one under way.
  func epochs(at step: Int) -> Double {
    let (epoch, position) = place(of: step)
    return Double(epoch) + Double(position) / Double(length(of: epoch))
  }

  /// Steps done at a place on the axis of epochs.
  func step(at epochs: Double) -> Int {
    guard epochs.isFinite, epochs > 0 else { return 0 }
    let epoch = Int(min(epochs, 1e9))
    let part = (epochs - Double(epoch)) * Double(length(of: epoch))
    return start(of: epoch) + Int(near: part)
  }
}
