import Kernels

extension Engine {
  /// The mixture of candidate branches: out = Σᵢ mᵢ·(branchᵢ + [shortcut if i is residual]).
  ///
  /// - Shapes: branches [N, H, W, C] each, `shortcut` the same; `weights` [k], one draw for the
  ///   batch, or [N, k], one for each image; result [N, H, W, C].
  /// - `forward` replaces the weights' values in the sum while the gradient still goes to
  ///   `weights`: the straight-through choice of spec S5. A branch of weight 0 gets no gradient
  ///   then.
  /// - `places` are the entries of `weights` that the branches stand for, ascending; nil: one each.
  ///   What is left out counts as a branch of weight 0 whose ∂L/∂mᵢ nobody needs.
  /// - Backward: ∂L/∂mᵢ = Σ g·(branchᵢ + [shortcut]), ∂L/∂branchᵢ = mᵢ·g, ∂L/∂shortcut = Σ mᵢ·g
  ///   over the residual branches. One pass takes each branch's three sums Σ g, Σ g·y and Σ
  ///   g·branchᵢ, for batch-norm and for mᵢ; the branches share the incoming gradient, scaled,
  ///   without a copy.
  /// - Cost: one pass over all branches each way, through what is deferred on them; bound by
  ///   memory.
  /// - Reference: `ReferenceGraph.weightedSum`. Source: FBNetV1 equation 8; spec S5.
  package func weightedSum(
    _ branches: [(tensor: Tensor, isResidual: Bool)],
    shortcut: Tensor?,
    weights: Tensor,
    forward: [Float]? = nil,
    places: [Int]? = nil
  ) -> Tensor {
    guard let shape = branches.first?.tensor.shape else {
      preconditionFailure("weightedSum: no branches")
    }
    let perImage = weights.shape.count == 2
    let groups = perImage ? shape[0] : 1
    let k = branches.count
    let places = places ?? Array(0..<k)
    let entries = weights.count / groups
    precondition(
      places.count == k && places.allSatisfy((0..<entries).contains)
        && weights.count == groups * entries && branches.allSatisfy { $0.tensor.shape == shape }
        && (shortcut == nil || shortcut?.shape == shape && shortcut?.normalisation == nil),
      "weightedSum: branches \(branches.map(\.tensor.shape)), weights \(weights.shape)"
    )
    precondition(
      shortcut != nil || !branches.contains { $0.isResidual },
      "weightedSum: no shortcut to add"
    )
    let all = forward ?? weights.values
    precondition(all.count == weights.count, "weightedSum: \(all.count) forward weights")
    let values = (0..<groups).flatMap { group in places.map { all[group * entries + $0] } }
    let channels = shape[shape.count - 1]
    let rows = shape.dropLast().reduce(1, *)
    let groupRows = rows / groups
    let out = pool.take(rows * channels)

    // Images of a per-image draw are chunks of their own, so every chunk has one set of weights.
    let chunks = Chunks(rows: rows, unit: perImage ? groupRows : 64, rowFloats: (k + 1) * channels)
    let sources = branches.map(\.tensor.source)
    func branch(_ i: Int, weight: Float) -> Branch {
      Branch(
        base: sources[i].base,
        scale: sources[i].scale,
        shift: sources[i].shift,
        activation: sources[i].activation,
        weight: weight
      )
    }
    func lists(of group: Int) -> [Branch] {
      let m = (0..<k).map { values[group * k + $0] }
      var list = (0..<k).map { branch($0, weight: m[$0]) }
      if let shortcut {
        let weight = (0..<k).reduce(Float(0)) { branches[$1].isResidual ? $0 + m[$1] : $0 }
        list.append(
          Branch(
            base: shortcut.buffer.pointer,
            scale: nil,
            shift: nil,
            activation: .none,
            weight: weight
          )
        )
      }
      // A branch of weight 0 is not read, unless it is all there is.
      let used = list.filter { $0.weight != 0 }
      return used.isEmpty ? [list[0]] : used
    }
    let mixtures = (0..<groups).map(lists)
    let reads = mixtures[0].count * rows * channels
    threadPool.run(
      Work(
        "weighted sum",
        .forward,
        arithmetic: 4 * reads,
        floats: reads + rows * channels
      ),
      chunks: chunks.count
    ) { chunk, _ in
      var row = chunks[chunk].lowerBound
      let end = chunks[chunk].upperBound
      while row < end {
        let group = row / groupRows
        // Blocks keep the partial sums of a wide mixture in cache between branches.
        let last = min(end, (group + 1) * groupRows, row + 128)
        mixtures[group].withUnsafeBufferPointer { list in
          guard let base = list.baseAddress else { return }
          let sum = WeightedSum(
            branches: base,
            count: list.count,
            channels: channels,
            out: out.pointer
          )
          kernels.weightedSum(sum, row..<last)
        }
        row = last
      }
    }
    let inputs = branches.map(\.tensor) + (shortcut.map { [$0] } ?? []) + [weights]
    let y = Tensor(shape: shape, buffer: out, requiresGradient: wantsGradient(inputs))
    record(y) { [unowned self] in
      weightedSumGradient(
        y,
        branches: branches,
        shortcut: shortcut,
        weights: weights,
        values: values,
        places: places,
        groups: groups
      )
    }
    return y
  }

  private func weightedSumGradient(
    _ y: Tensor,
    branches: [(tensor: Tensor, isResidual: Bool)],
    shortcut: Tensor?,
    weights: Tensor,
    values: [Float],
    places: [Int],
    groups: Int
  ) {
    guard y.gradient != nil else { return }
    let gradient = ownGradient(of: y)
    y.gradient = nil
    let channels = y.channels
    let k = branches.count
    let groupRows = y.rows / groups
    let unit = groups > 1 ? groupRows : 64
    let chunks =
      groups > 1
      ? nil : Chunks(rows: y.rows, unit: unit, rowFloats: (k + 1) * channels)
    let count = chunks?.count ?? groups
    var tensors = branches.map(\.tensor)
    if let shortcut { tensors.append(shortcut) }
    let stride = 3 * channels
    let partials = pool.takeZeros(count * tensors.count * stride)
    let sources = tensors.map(\.source)
    threadPool.run(
      Work(
        "weighted sum",
        .backward,
        arithmetic: 7 * tensors.count * y.count,
        floats: (tensors.count + 1) * y.count
      ),
      chunks: count
    ) { chunk, _ in
      let range = chunks?[chunk] ?? (chunk * groupRows)..<((chunk + 1) * groupRows)
      var row = range.lowerBound
      while row < range.upperBound {
        let last = min(range.upperBound, row + 128)
        for (i, s) in sources.enumerated() {
          let sums = partials.pointer + (chunk * sources.count + i) * stride
          kernels.branchSums(
            BranchSums(
              branch: Branch(
                base: s.base,
                scale: s.scale,
                shift: s.shift,
                activation: s.activation,
                weight: 1
              ),
              gradient: gradient.pointer,
              channels: channels,
              sums: PartialSums(sums: sums, products: sums + channels),
              dots: sums + 2 * channels
            ),
            row..<last
          )
        }
        row = last
      }
    }

    if weights.requiresGradient {
      addMixtureGradients(
        partials,
        chunks: count,
        channels: channels,
        isResidual: branches.map(\.isResidual),
        tensors: tensors.count,
        places: places,
        to: weights
      )
    }
    for i in 0..<k {
      let x = tensors[i]
      let m = (0..<groups).map { values[$0 * k + i] }
      guard x.requiresGradient, m.contains(where: { $0 != 0 }) else { continue }
      if let normalisation = x.normalisation {
        // One access to the class for all chunks: each costs more than the sums.
        var (sums, products) = (normalisation.sums, normalisation.products)
        for chunk in 0..<count {
          let p = partials.pointer + (chunk * tensors.count + i) * stride
          let weight = Double(m[groups > 1 ? chunk : 0])
          for c in 0..<channels {
            sums[c] += weight * Double(p[c])
            products[c] += weight * Double(p[channels + c])
          }
        }
        (normalisation.sums, normalisation.products) = (sums, products)
      }
      handOver(gradient, weights: m, to: x)
    }
    if let shortcut, shortcut.requiresGradient {
      let m = (0..<groups).map { group in
        (0..<k).reduce(Float(0)) { branches[$1].isResidual ? $0 + values[group * k + $1] : $0 }
      }
      if m.contains(where: { $0 != 0 }) { handOver(gradient, weights: m, to: shortcut) }
    }
  }

  /// ∂L/∂mᵢ = Σ g·(branchᵢ + [shortcut]), from the sums Σ g·branchᵢ of each chunk and channel.
  ///
  /// - Parameters:
  ///   - partials: three sums of every branch and of the shortcut, [chunks, tensors, 3, C].
  ///   - chunks: how many; each an image's where the weights are drawn for each image.
  ///   - channels: C.
  ///   - isResidual: of each branch, whether the shortcut was added to it.
  ///   - tensors: branches, and the shortcut if there is one.
  ///   - places: the entry of `weights` of each branch.
  ///   - weights: m, [k] or [N, k].
  private func addMixtureGradients(
    _ partials: Buffer,
    chunks: Int,
    channels: Int,
    isResidual: [Bool],
    tensors: Int,
    places: [Int],
    to weights: Tensor
  ) {
    let k = isResidual.count
    let groups = weights.count / weights.channels
    var dots = [[Double]](repeating: [Double](repeating: 0, count: tensors), count: groups)
    for chunk in 0..<chunks {
      for i in 0..<tensors {
        let p = partials.pointer + (chunk * tensors + i) * 3 * channels + 2 * channels
        dots[groups > 1 ? chunk : 0][i] += (0..<channels).reduce(0.0) { $0 + Double(p[$1]) }
      }
    }
    let dm = ownGradient(of: weights)
    for group in 0..<groups {
      for i in 0..<k {
        let residual = isResidual[i] ? dots[group][k] : 0
        dm.pointer[group * weights.channels + places[i]] += Float(dots[group][i] + residual)
      }
    }
  }

  /// Gives `x` the shared gradient times its weight; a copy only where the weights differ by image.
  private func handOver(_ gradient: Buffer, weights: [Float], to x: Tensor) {
    let linear = x.normalisation.map { $0.activation == .none } ?? true
    if weights.count == 1 && x.gradient == nil {
      x.gradient = Tensor.Gradient(
        buffer: gradient,
        factor: weights[0],
        activated: linear,
        owned: false
      )
      return
    }
    precondition(
      x.normalisation == nil || x.gradient == nil,
      "weightedSum: a branch with a deferred normalisation must have one reader"
    )
    let isFirst = x.gradient == nil
    let own = isFirst ? pool.take(x.count) : ownGradient(of: x)
    let floats = x.count / weights.count
    let pieces = Chunks(rows: floats, rowFloats: 1)
    for (group, weight) in weights.enumerated() {
      threadPool.run(
        Work("gradient copies", .backward, arithmetic: floats, floats: 2 * floats),
        chunks: pieces.count
      ) { piece, _ in
        let range = pieces[piece]
        let at = group * floats + range.lowerBound
        if isFirst {
          kernels.scale(range.count, weight, gradient.pointer + at, own.pointer + at)
        } else {
          kernels.addScaled(range.count, weight, gradient.pointer + at, own.pointer + at)
        }
      }
    }
    if isFirst { x.gradient = Tensor.Gradient(buffer: own, activated: linear) }
  }
}
