import Kernels

/// A grid of the pixels of another tensor, read without a copy of it.
///
/// Operations that can read one find its pixels among those of the map, or gather an image's in
/// their workspace, and add the gradient to that of the map: no array of all images' pixels is
/// needed.
final class GridView {
  /// The raw map of all pixels, [N, H, W, C].
  let whole: Tensor
  /// The pixels of the grid.
  let runs: [PixelRun]
  /// How many they are.
  let count: Int
  /// The place of each pixel among those of the map; nil if the grid is all of it.
  let places: UnsafePointer<Int32>?
  /// Whether a reader has added its gradient to that of the map.
  var hasGradient = false

  init(of whole: Tensor, _ runs: [PixelRun]) {
    self.whole = whole
    self.runs = runs
    count = runs.reduce(0) { $0 + $1.count }
    if runs.count == 1, count * whole.channels == whole.count / whole.shape[0] {
      places = nil
      return
    }
    let all = runs.flatMap { run in (0..<run.count).map { Int32(run.large + $0) } }
    let places = UnsafeMutablePointer<Int32>.allocate(capacity: all.count)
    places.initialize(from: all, count: all.count)
    self.places = UnsafePointer(places)
  }

  deinit { places?.deallocate() }

  /// Floats of an image of the map.
  var wholeFloats: Int { whole.count / whole.shape[0] }
}

/// The gradient of a view, which goes to the pixels that it reads.
struct GridGradient {
  private let engine: Engine
  private let view: GridView
  private let target: Buffer
  /// Whether it is added to what is there.
  let accumulates: Bool
  /// α of α·g + β·y + κ, and zeros; the others follow from the sums over all images.
  private let coefficients: Buffer

  /// Makes room for it; nil if `x` is no view, or wants no gradient.
  ///
  /// A reader that `overwrites`, that is, can write what it would add, needs no zeros to add to if
  /// it is the first and reads all pixels.
  init?(of x: Tensor, overwrites: Bool = false, engine: Engine) {
    guard x.requiresGradient, let view = x.view, let normalisation = x.normalisation else {
      return nil
    }
    self.engine = engine
    self.view = view
    accumulates = !(overwrites && view.places == nil && view.whole.gradient == nil)
    target =
      accumulates
      ? engine.ownGradient(of: view.whole) : engine.gradientTarget(of: view.whole).buffer
    coefficients = engine.pool.takeZeros(2 * x.channels)
    coefficients.pointer.update(from: normalisation.scale.pointer, count: x.channels)
    view.hasGradient = true
  }

  /// α, [C], by which the gradient behind the batch-norm is multiplied.
  var factors: UnsafePointer<Float> { UnsafePointer(coefficients.pointer) }

  /// The gradient of an image's map.
  func whole(_ image: Int) -> UnsafeMutablePointer<Float> {
    target.pointer + image * view.wholeFloats
  }

  /// Adds the part of an image: `rows` [H·W, C], the gradient behind the batch-norm.
  func add(_ image: Int, _ rows: UnsafeMutablePointer<Float>) {
    let channels = view.whole.channels
    engine.kernels.addAffinePixels(
      AffinePixels(
        from: rows,
        pixels: Pixels(places: nil, count: view.count),
        factors: coefficients.pointer,
        summands: coefficients.pointer + channels,
        to: whole(image),
        places: view.places
      ),
      channels
    )
  }
}

extension Tensor {
  /// Floats of workspace that `Engine.imageRows(of:image:_:)` needs.
  var gatheredFloats: Int { view == nil ? 0 : (count / shape[0] + 15) / 16 * 16 }
}

extension Engine {
  /// How kernels read an image of `x`, [N, H, W, C] or a view: rows from 0 on, where they stand, or
  /// gathered in `workspace`.
  func imageRows(
    of x: Tensor,
    image: Int,
    _ workspace: UnsafeMutablePointer<Float>
  ) -> RowSource {
    var source = x.rowSource
    if let view = x.view {
      let from = view.whole.buffer.pointer + image * view.wholeFloats
      gather(view.runs, of: from, workspace, channels: x.channels)
      source.base = UnsafePointer(workspace)
    } else {
      source.base += image * x.count / x.shape[0]
    }
    return source
  }
}
