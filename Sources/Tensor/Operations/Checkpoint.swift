import Kernels

extension Engine {
  /// The result of `body`, whose operations are not recorded but run again in the backward pass:
  /// what they would have saved is in memory only while their gradient runs.
  ///
  /// - Parameters:
  ///   - inputs: tensors from outside that `body` reads and that may want a gradient.
  ///   - body: operations of this engine; must give the same bits each time.
  /// - Returns: what `body` returns, with what is deferred on it.
  /// - Backward: that of the operations of `body`, on a tape of their own.
  /// - Cost: `body` forward twice, backward once.
  /// - Source: Chen and others 2016 (arXiv 1604.06174).
  /// - Edge: the running statistics of recalibration take the first run alone.
  package func checkpoint(_ inputs: [Tensor], _ body: @escaping () -> Tensor) -> Tensor {
    let first = recording(false, body)
    let y = Tensor(
      shape: first.shape,
      buffer: first.buffer,
      normalisation: first.normalisation,
      requiresGradient: wantsGradient(inputs, parameters: true)
    )
    let mode = mode
    record(y) { [unowned self] in
      guard let gradient = y.gradient else { return }
      y.gradient = nil
      replay(mode: mode) {
        let again = body()
        hand(gradient, to: again)
        // The readers of the first run took the sums that the second run's batch-norm needs.
        if let sums = y.normalisation {
          again.normalisation?.sums = sums.sums
          again.normalisation?.products = sums.products
        }
      }
    }
    return y
  }

  /// The result of operations that go on the tape or leave nothing there.
  func recording(_ records: Bool, _ body: () -> Tensor) -> Tensor {
    let wasRecording = isRecording
    defer { isRecording = wasRecording }
    isRecording = records
    return body()
  }

  /// The result of operations whose backward passes alone are wanted.
  ///
  /// They go on the tape and do not run, so the values are unspecified; none may take statistics.
  func recordingAlone(_ body: () -> Tensor) -> Tensor {
    threadPool.isIdle = true
    defer { threadPool.isIdle = false }
    return recording(true, body)
  }

  /// Runs `body`, which puts a gradient on what it makes, and its operations backwards; the tape
  /// under way and its batch-norms' running statistics stay as they are.
  func replay(mode forward: Mode, _ body: () -> Void) {
    let outer = (tape, isRecording, mode)
    defer { (tape, isRecording, mode) = outer }
    (tape, isRecording) = ([], true)
    mode = forward == .recalibration ? .training : forward
    body()
    while let step = tape.popLast() { step() }
  }

  /// Adds a whole gradient to that of `x`.
  func hand(_ gradient: Tensor.Gradient, to x: Tensor) {
    if x.gradient == nil {
      x.gradient = gradient
    } else {
      addGradient(gradient.buffer, factor: gradient.factor, to: x)
    }
  }
}
