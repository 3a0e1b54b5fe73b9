import Kernels

extension Engine {
  /// Depthwise convolution over each channel alone, with batch-norm and activation deferred.
  ///
  /// - Shapes: `x` [N, H, W, C], `filter` [K, K, C], result [N, H', W', C] with
  ///   H' = (H + 2·padding − K)/stride + 1; `padding` nil is K/2, so that stride 1 keeps the size.
  /// - Forward: y[oy, ox] = Σ w[ky, kx]·x[s·oy + ky − p, s·ox + kx − p], s the stride and p the
  ///   padding.
  /// - Backward: ∂L/∂x[i, j] = Σ w[ky, kx]·dy[oy, ox] over the same pairs of input and output, and
  ///   ∂L/∂w[ky, kx] = Σ x[s·oy + ky − p, s·ox + kx − p]·dy[oy, ox]; both from one pass over dy,
  ///   which is α·g + β·y + κ where batch-norm follows (`Normalisation.coefficients`).
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
    let work = Depthwise(source: x.source, geometry: geometry, filter: filter.value.pointer)
    threadPool.run(
      .depthwise(.forward, geometry, inputs: x.count, outputs: images * outFloats),
      chunks: images,
      workspaceFloats: work.workspaceFloats
    ) { image, workspace in
      var work = work
      work.source.base += image * inFloats
      kernels.depthwise(
        DepthwiseForward(
          convolution: work,
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
      requiresGradient: wantsGradient([x], parameters: true)
    )
    record(y) { [unowned self] in
      guard let gradient = outputGradient(of: y) else { return }
      let target = x.requiresGradient ? gradientTarget(of: x) : nil
      // One partial filter gradient for each image keeps the chunks a matter of shape; the filter
      // is small.
      let filterFloats = kernel * kernel * channels
      let filters = trainsParameters ? pool.takeZeros(images * filterFloats) : nil
      let sums = target == nil ? nil : gradientSums(of: x, chunks: images)
      threadPool.run(
        .depthwise(
          .backward,
          geometry,
          inputs: x.count,
          outputs: y.count,
          products: (target != nil ? 1 : 0) + (trainsParameters ? 1 : 0)
        ),
        chunks: images,
        workspaceFloats: work.workspaceFloats
      ) { image, workspace in
        var work = work
        work.source.base += image * inFloats
        var slice = gradient.source
        slice.gradient += image * outFloats
        slice.raw = slice.raw.map { $0 + image * outFloats }
        kernels.depthwiseBackward(
          DepthwiseBackward(
            convolution: work,
            gradient: slice,
            out: target.map { $0.buffer.pointer + image * inFloats },
            accumulate: target?.accumulate ?? false,
            filterGradient: filters.map { $0.pointer + image * filterFloats },
            sums: sums?.chunk(image)
          ),
          workspace
        )
      }
      if let filters {
        addPartials(
          filters,
          chunks: images,
          partialFloats: filterFloats,
          rows: kernel * kernel,
          columns: channels,
          stride: channels,
          to: filter.gradient.pointer
        )
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
