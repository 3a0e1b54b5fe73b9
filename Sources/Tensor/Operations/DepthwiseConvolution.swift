import Kernels

extension Engine {
  /// Depthwise convolution over each channel alone, with batch-norm and activation deferred.
  ///
  /// - Shapes: `x` [N, H, W, C], `filter` [K, K, C], result [N, H', W', C] with
  ///   H' = (H + 2·padding − K)/stride + 1; `padding` nil is K/2, so that stride 1 keeps the size.
  ///   `taps` [K·K], if there, is a mask of the filter: w[ky, kx] = filter[ky, kx]·taps[ky·K + kx].
  /// - Forward: y[oy, ox] = Σ w[ky, kx]·x[s·oy + ky − p, s·ox + kx − p], s the stride and p the
  ///   padding.
  /// - Backward: ∂L/∂x[i, j] = Σ w[ky, kx]·dy[oy, ox] over the same pairs of input and output, and
  ///   ∂L/∂w[ky, kx] = Σ x[s·oy + ky − p, s·ox + kx − p]·dy[oy, ox]; both from one pass over dy,
  ///   which is α·g + β·y + κ where batch-norm follows (`Normalisation.coefficients`). Under a mask
  ///   ∂L/∂filter = ∂L/∂w·taps, and ∂L/∂taps[ky·K + kx] = Σ ∂L/∂w[ky, kx]·filter[ky, kx] over the
  ///   channels.
  /// - Cost: 2·N·H'·W'·K²·C floating-point operations, twice that backward; bound by memory for K ≤
  ///   5.
  /// - Reference: `ReferenceGraph.depthwise`.
  /// - Edge: K even is refused, and a border that holds whole windows. Source: FBNetV1 (arXiv
  ///   1812.03443) table 2; spec S3. Published FBNetV3 networks have narrower borders.
  package func depthwiseConvolution(
    _ x: Tensor,
    filter: Parameter,
    stride: Int,
    padding: Int? = nil,
    taps: Tensor? = nil,
    norm: BatchNorm? = nil,
    activation: Activation = .none
  ) -> Tensor {
    precondition(
      x.shape.count == 4 && filter.shape.count == 3 && filter.shape[0] % 2 == 1
        && filter.shape[2] == x.channels,
      "depthwiseConvolution: filter \(filter.shape) on input \(x.shape)"
    )
    precondition(
      norm != nil || activation == .none,
      "depthwiseConvolution: activation without batch-norm"
    )
    let kernel = filter.shape[0]
    precondition(
      taps == nil || taps?.shape == [kernel * kernel] && taps?.normalisation == nil,
      "depthwiseConvolution: \(taps?.shape ?? []) taps of filter \(filter.shape)"
    )
    let (images, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let padding = padding ?? kernel / 2
    precondition(
      (0..<kernel).contains(padding) && min(height, width) + 2 * padding >= kernel,
      "depthwiseConvolution: padding \(padding) for filter \(filter.shape) on input \(x.shape)"
    )
    let outHeight = (height + 2 * padding - kernel) / stride + 1
    let outWidth = (width + 2 * padding - kernel) / stride + 1
    let geometry = Patches(
      height: height,
      width: width,
      outHeight: outHeight,
      outWidth: outWidth,
      kernel: kernel,
      stride: stride,
      padding: padding
    )
    let inFloats = height * width * channels
    let outFloats = outHeight * outWidth * channels
    let out = pool.take(images * outFloats)
    let sums = outputSums(norm, chunks: images, channels: channels)
    let weights = taps.map { maskedTaps(filter.value, by: $0) } ?? filter.value
    let wholeFloats = x.view?.wholeFloats ?? inFloats
    func work(_ image: Int) -> Depthwise {
      var source = x.rowSource
      source.base += image * wholeFloats
      return Depthwise(
        source: source,
        geometry: geometry,
        filter: weights.pointer,
        pixels: x.view?.places
      )
    }
    let workspaceFloats = work(0).workspaceFloats
    threadPool.run(
      .depthwise(.forward, geometry, inputs: x.count, outputs: images * outFloats),
      chunks: images,
      workspaceFloats: workspaceFloats
    ) { image, workspace in
      kernels.depthwise(
        DepthwiseForward(
          convolution: work(image),
          out: out.pointer + image * outFloats,
          sums: sums?.chunk(image)
        ),
        workspace
      )
    }
    let rows = images * outHeight * outWidth
    let normalisation = norm.map {
      normalise($0, activation: activation, rows: rows, moments: sums?.moments(rows: rows))
    }
    let y = Tensor(
      shape: [images, outHeight, outWidth, channels],
      buffer: out,
      normalisation: normalisation,
      requiresGradient: wantsGradient([x] + (taps.map { [$0] } ?? []), parameters: true)
    )
    record(y) { [unowned self] in
      guard let gradient = outputGradient(of: y) else { return }
      let ofView = GridGradient(of: x, overwrites: true, engine: self)
      let target = x.requiresGradient && ofView == nil ? gradientTarget(of: x) : nil
      // One partial filter gradient for each image keeps the chunks a matter of shape; the filter
      // is small.
      let filterFloats = kernel * kernel * channels
      let trainsFilter = trainsParameters || taps?.requiresGradient == true
      let filters = trainsFilter ? pool.takeZeros(images * filterFloats) : nil
      let sums = x.requiresGradient ? gradientSums(of: x, chunks: images) : nil
      threadPool.run(
        .depthwise(
          .backward,
          geometry,
          inputs: x.count,
          outputs: y.count,
          products: (x.requiresGradient ? 1 : 0) + (trainsFilter ? 1 : 0)
        ),
        chunks: images,
        workspaceFloats: workspaceFloats
      ) { image, workspace in
        var slice = gradient.source
        slice.gradient += image * outFloats
        slice.raw = slice.raw.map { $0 + image * outFloats }
        kernels.depthwiseBackward(
          DepthwiseBackward(
            convolution: work(image),
            gradient: slice,
            out: ofView?.whole(image) ?? target.map { $0.buffer.pointer + image * inFloats },
            accumulate: target?.accumulate ?? ofView?.accumulates ?? true,
            factors: ofView?.factors,
            filterGradient: filters.map { $0.pointer + image * filterFloats },
            sums: sums?.chunk(image)
          ),
          workspace
        )
      }
      if let filters {
        let sum = taps == nil ? filter.gradient : pool.takeZeros(filterFloats)
        addPartials(
          filters,
          chunks: images,
          partialFloats: filterFloats,
          rows: kernel * kernel,
          columns: channels,
          stride: channels,
          to: sum.pointer
        )
        if let taps { addTapGradients(sum, filter: filter, taps: taps) }
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }

  /// filter[t, c]·taps[t], of a filter [K·K, C].
  private func maskedTaps(_ filter: Buffer, by taps: Tensor) -> Buffer {
    let out = pool.take(filter.count)
    let channels = filter.count / taps.count
    for t in 0..<taps.count {
      let at = t * channels
      kernels.scale(
        channels,
        taps.buffer.pointer[t],
        filter.pointer + at,
        out.pointer + at
      )
    }
    return out
  }

  /// Adds the gradients of `maskedTaps`, from that of its result, to the filter and the mask.
  private func addTapGradients(_ gradient: Buffer, filter: Parameter, taps: Tensor) {
    let channels = filter.value.count / taps.count
    let dTaps = taps.requiresGradient ? ownGradient(of: taps) : nil
    for t in 0..<taps.count {
      let at = t * channels
      if let dTaps {
        var sum = 0.0
        for i in at..<at + channels {
          sum += Double(gradient.pointer[i]) * Double(filter.value.pointer[i])
        }
        dTaps.pointer[t] += Float(sum)
      }
      if trainsParameters {
        kernels.addScaled(
          channels,
          taps.buffer.pointer[t],
          gradient.pointer + at,
          filter.gradient.pointer + at
        )
      }
    }
  }
}
