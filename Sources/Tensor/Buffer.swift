#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Floats on loan from a pool; the memory goes back when the last owner lets go, to the pool or, of
/// a workspace, to the system.
package final class Buffer {
  /// First element, aligned to 64 bytes.
  package let pointer: UnsafeMutablePointer<Float>
  /// Elements asked for.
  package let count: Int
  private let pool: BufferPool
  private let capacity: Int
  private let isWorkspace: Bool

  fileprivate init(
    pointer: UnsafeMutablePointer<Float>,
    count: Int,
    capacity: Int,
    pool: BufferPool,
    isWorkspace: Bool = false
  ) {
    self.pointer = pointer
    self.count = count
    self.capacity = capacity
    self.pool = pool
    self.isWorkspace = isWorkspace
  }

  deinit {
    if isWorkspace {
      pool.release(pointer, capacity: capacity)
    } else {
      pool.giveBack(pointer, capacity: capacity)
    }
  }

  /// The elements, for code that is not hot.
  package var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  /// Sets every element to 0.
  package func clear() {
    pointer.update(repeating: 0, count: count)
  }
}

/// Free memory by size, kept for the next step, so that a steady step asks the system for nothing.
///
/// Sizes are rounded up to an eighth of a power of two: layers of similar shape share memory, and
/// at most an eighth is wasted.
package final class BufferPool {
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
  /// Times that the system was asked for memory; constant over steady steps.
  package private(set) var systemAllocations = 0
  /// Floats held, in use or free.
  package private(set) var heldFloats = 0 {
    didSet { mostFloats = max(mostFloats, heldFloats) }
  }
  /// The most that have been held.
  package private(set) var mostFloats = 0
  /// How many times as large as what is wanted a new buffer is, where free ones may be lent that
  /// are up to `mostLarger` times as large; nil where all are of their own size.
  ///
  /// For work whose maps have other sizes each time: one operator at several resolutions, or the
  /// candidates that a step draws. With sizes of their own, each would hold memory that the others
  /// cannot use.
  private var growth: Double?
  private static let mostLarger = 8

  package init() {}

  deinit { releaseFree() }

  /// Gives what nobody borrows back to the system, for work that needs other sizes from now on.
  package func releaseFree() {
    for (capacity, list) in free {
      for pointer in list { release(pointer, capacity: capacity) }
    }
    free = [:]
  }

  /// Borrows `count` floats of unspecified content.
  package func take(_ count: Int) -> Buffer {
    var capacity = BufferPool.capacity(for: count)
    if let pointer = free[capacity]?.popLast() {
      return Buffer(pointer: pointer, count: count, capacity: capacity, pool: self)
    }
    if let growth {
      let sizes = capacity...Self.mostLarger * capacity
      let larger = free.lazy.filter { sizes.contains($0) && !$1.isEmpty }.map(\.key).min()
      if let larger, let pointer = free[larger]?.popLast() {
        return Buffer(pointer: pointer, count: count, capacity: larger, pool: self)
      }
      capacity = BufferPool.capacity(for: Int((Double(count) * growth).rounded()))
    }
    return Buffer(pointer: allocate(capacity), count: count, capacity: capacity, pool: self)
  }

  /// Borrows `count` floats for a worker, which outgrows them step by step: they are of no size
  /// that others could use, and go back to the system.
  package func takeWorkspace(_ count: Int) -> Buffer {
    let capacity = BufferPool.capacity(for: count)
    let pointer = allocate(capacity)
    return Buffer(
      pointer: pointer,
      count: count,
      capacity: capacity,
      pool: self,
      isWorkspace: true
    )
  }

  private func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    systemAllocations += 1
    heldFloats += capacity
    // Kernels read whole vectors, and may look a little beyond the last element.
    let bytes = (capacity + BufferPool.slack) * MemoryLayout<Float>.stride
    // Large buffers get huge pages: a supernet step walks gigabytes, and page walks show.
    let huge = 1 << 21
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: bytes,
      alignment: bytes >= huge ? huge : 64
    )
    #if os(Linux)
      if bytes >= huge { _ = madvise(raw, bytes, MADV_HUGEPAGE) }
    #endif
    let pointer = raw.bindMemory(to: Float.self, capacity: capacity)
    pointer.initialize(repeating: 0, count: min(capacity, 16))
    (pointer + capacity).initialize(repeating: 0, count: BufferPool.slack)
    return pointer
  }

  /// Runs `body`, whose buffers may be larger than what they hold.
  ///
  /// New ones are `growth` times as large; nil is for buffers of their own size.
  package func lendingLarger<Result>(times growth: Double?, _ body: () -> Result) -> Result {
    let before = self.growth
    defer { self.growth = before }
    self.growth = growth
    return body()
  }

  /// Borrows `count` zeros.
  package func takeZeros(_ count: Int) -> Buffer {
    let buffer = take(count)
    buffer.clear()
    return buffer
  }

  fileprivate func giveBack(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    free[capacity, default: []].append(pointer)
  }

  /// Floats behind every buffer that may be read, and never count.
  static let slack = 64

  fileprivate func release(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    heldFloats -= capacity
    UnsafeMutableRawPointer(pointer).deallocate()
  }

  /// `count` rounded up to a size of the pool, in floats.
  static func capacity(for count: Int) -> Int {
    let least = max(count, 64)
    let power = Int.bitWidth - 1 - least.leadingZeroBitCount
    let step = max(16, 1 << max(0, power - 3))
    return (least + step - 1) / step * step
  }
}
