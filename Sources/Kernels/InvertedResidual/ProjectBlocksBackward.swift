/// Backward, pixels `first..<last`: what the batch must be seen whole for.
///
/// With g the gradient after the depthwise output's normalisation: adds Σ g and Σ g·y to `sums` and
/// `products`, [blocks, 16]; the filter's gradient, if wanted, goes to `filter`, [blocks, rows of
/// whole tiles, wholeBlocks(D)]. Where g itself is not kept, `expandDepthwiseBackward` makes it
/// again from the projection's gradient, which goes to `kept`, [pixels, D]; that may be where the
/// raw output stands. Reads up to a vector beyond the last row of it.
@inlinable @inline(always)
package func projectBlocksBackward<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  gradient: GradientSource,
  kept: Output,
  first: Int,
  last: Int,
  filter: Output?,
  sums: Output,
  products: Output,
  workspace: Output
) {
  let stride = wholeBlocks(p.columns)
  let values = workspace
  let rest = values + convolutionBlock * blockWidth + 64
  let filterRows = (blockWidth + L.rows - 1) / L.rows * L.rows
  var row = first
  while row < last {
    let n = min(convolutionBlock, last - row)
    let rows = kept + row * p.columns
    loadGradientRows(L.self, gradient, first: row, count: n, into: rows, outStride: p.columns)
    for b in 0..<p.blocks {
      let at = b * p.blockStride + row * blockWidth
      if p.activation == .relu {
        gradientOfBlock(L.self, p, b, n, rows, at, values, .relu, sums, products, rest)
      } else {
        gradientOfBlock(L.self, p, b, n, rows, at, values, p.activation, sums, products, rest)
      }
      guard let filter else { continue }
      let to = filter + b * filterRows * stride
      if p.skipsZeros {
        multiplyMaskedTransposed(
          L.self,
          rows: n,
          columns: p.columns,
          a: values,
          d: rows,
          dStride: p.columns,
          c: to,
          cStride: stride,
          accumulate: row > first,
          workspace: rest
        )
      } else {
        multiplyTransposed(
          L.self,
          rows: n,
          k: blockWidth,
          n: p.columns,
          a: values,
          aStride: blockWidth,
          d: rows,
          dStride: p.columns,
          c: to,
          cStride: stride,
          accumulate: row > first
        )
      }
    }
    row += n
  }
}

/// The activated values of `n` pixels of block `b` to `values`, and the gradient before their
/// activation.
///
/// `rows` are the projection's gradients, [n, D]; element `at` of the hidden values is the first.
@inlinable @inline(always)
package func gradientOfBlock<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  _ b: Int,
  _ n: Int,
  _ rows: Input,
  _ at: Int,
  _ values: Output,
  _ activation: Activation,
  _ sums: Output,
  _ products: Output,
  _ workspace: Output
) {
  var j = 0
  while j < blockWidth {
    let c = b * blockWidth + j
    var epilogue = HiddenGradient(
      L.self,
      activation: activation,
      d: p.d.dropFirst(at + j),
      scale: p.scale + c,
      shift: p.shift + c,
      values: values + j,
      gradient: p.gradient.map { $0 + at + j }
    )
    multiplyColumns(
      L.self,
      rows: n,
      depth: p.columns,
      a: rows,
      aStride: p.columns,
      b: p.filter + b * p.columns * blockWidth + j,
      ahead: j == 0 ? p.d.address(at + n * blockWidth) : nil,
      workspace: workspace,
      epilogue: &epilogue
    )
    epilogue.add(to: sums + c, products + c)
    j += blockVectors(L.self) * L.count
  }
}

/// The epilogue of the product that gives the gradient after the hidden values' activation.
@usableFromInline
package struct HiddenGradient<L: Lanes>: Epilogue {
  @usableFromInline let activation: Activation
  @usableFromInline let d: SavedBlocks
  @usableFromInline let values: Output
  @usableFromInline let gradient: Output?
  @usableFromInline let scale0: L.Vector
  @usableFromInline let scale1: L.Vector
  @usableFromInline let shift0: L.Vector
  @usableFromInline let shift1: L.Vector
  @usableFromInline var sum0: L.Vector
  @usableFromInline var sum1: L.Vector
  @usableFromInline var product0: L.Vector
  @usableFromInline var product1: L.Vector

  /// Describes `blockVectors` vectors: raw values, their deferred normalisation, and where the
  /// activated values and, if wanted, the gradient before the activation go.
  @inlinable @inline(always)
  package init(
    _: L.Type,
    activation: Activation,
    d: SavedBlocks,
    scale: Input,
    shift: Input,
    values: Output,
    gradient: Output?
  ) {
    self.activation = activation
    self.d = d
    self.values = values
    self.gradient = gradient
    // Not as the properties' defaults, which would be functions of the module, called through a
    // witness table.
    sum0 = .zero
    sum1 = .zero
    product0 = .zero
    product1 = .zero
    let two = blockVectors(L.self) > 1
    scale0 = L.load(scale)
    shift0 = L.load(shift)
    scale1 = two ? L.load(scale + L.count) : .zero
    shift1 = two ? L.load(shift + L.count) : .zero
  }

  /// See `Epilogue`.
  @inlinable @inline(always)
  package mutating func finish(_ upstream: L.Vector, row: Int, vector: Int) {
    let i = row * blockWidth + vector * L.count
    let isFirst = vector == 0
    let y = d.load(L.self, i)
    let z = L.fma(y, isFirst ? scale0 : scale1, isFirst ? shift0 : shift1)
    L.store(L.activate(z, activation), values + i)
    let g = L.activationGradient(upstream, at: z, activation)
    if let gradient { L.store(g, gradient + i) }
    if isFirst {
      sum0 += g
      product0 = L.fma(g, y, product0)
    } else {
      sum1 += g
      product1 = L.fma(g, y, product1)
    }
  }

  /// Adds Σ g and Σ g·y.
  @inlinable @inline(always)
  package func add(to sums: Output, _ products: Output) {
    L.store(L.load(sums) + sum0, sums)
    L.store(L.load(products) + product0, products)
    if blockVectors(L.self) > 1 {
      L.store(L.load(sums + L.count) + sum1, sums + L.count)
      L.store(L.load(products + L.count) + product1, products + L.count)
    }
  }
}
