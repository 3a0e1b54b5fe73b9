import CMPI
import Dispatch
import Foundation
import Runs
import Synchronization

/// The processes that a launcher such as `mpirun` started to train together (spec S103).
///
/// All of them do the same, each on its own shards of a batch; rank 0, the lead, alone has the run
/// and whoever watches it. MPI is called by one thread at a time. A call that fails, or that waits
/// too long for the others, ends this process: the run continues from its checkpoint.
package final class Ranks: Sendable {
  /// This process among the others, from 0.
  package let rank: Int
  /// Number of the processes.
  package let count: Int
  /// Name and version of the MPI library.
  package let library: String
  /// The rank that has the run.
  package var isLead: Bool { rank == 0 }

  /// Seconds that a call may wait for the others unless `SUPERTOP_MPI_TIMEOUT` says otherwise.
  package static let patience = 60.0
  /// Seconds that preparing a run may take.
  private static let longPatience = 3600.0
  /// Floats that are exchanged, added and gathered at once, so that they stay in the cache.
  static let bucket = 1 << 18

  private let patience: Double
  /// Memory for the sums of others; whoever has it may call MPI.
  private let received = Mutex<[Float]>([])
  /// When the call under way began, 0 while there is none, and the bits of its most seconds.
  private let began = Atomic<UInt64>(0)
  private let allowed = Atomic<UInt64>(0)
  /// The longest that a call has waited, in bits of seconds.
  private let longest = Atomic<UInt64>(0)
  private let run = Mutex<String?>(nil)
  private let trains = Atomic(false)
  private static let joined = Mutex<Ranks?>(nil)
  // Only made here.
  nonisolated(unsafe) private let watchdog: any DispatchSourceTimer

  /// The processes that this one has joined; nil where it is alone.
  package static var world: Ranks? { joined.withLock(\.self) }

  /// Processes that a launcher started with this one, where it says so.
  private static var launched: Int? {
    let environment = ProcessInfo.processInfo.environment
    let size =
      environment["OMPI_COMM_WORLD_SIZE"] ?? environment["PMI_SIZE"]
      ?? (environment["PMIX_RANK"] == nil ? nil : environment["SLURM_NTASKS"])
    return size.flatMap { Int($0) }
  }

  /// Whether the launcher says that this process is not the lead, joined or not.
  package static var isLaunchedAsFollower: Bool {
    let environment = ProcessInfo.processInfo.environment
    let rank =
      environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMI_RANK"] ?? environment["PMIX_RANK"]
    return rank.map { $0 != "0" } ?? false
  }

  /// Processes on this machine that share its cores, this one included.
  package static var processesOnThisMachine: Int {
    let environment = ProcessInfo.processInfo.environment
    let size = environment["OMPI_COMM_WORLD_LOCAL_SIZE"] ?? environment["MPI_LOCALNRANKS"]
    return max(1, size.flatMap { Int($0) } ?? 1)
  }

  /// Joins the processes that a launcher started; nil without one, or where this one is alone.
  ///
  /// - Parameter identity: what has to be the same everywhere, as (what, value).
  /// - Returns: nil without others.
  /// - Throws: `UserError` for a library that cannot be loaded or computes wrongly, and, on the
  ///   lead, for processes that differ; the others end without a word then.
  package static func join(identity: [(what: String, value: String)]) throws -> Ranks? {
    guard let launched, launched > 1 else { return nil }
    let path = ProcessInfo.processInfo.environment["SUPERTOP_MPI"]
    let place = path ?? "MPI"
    if let problem = cm_open(path) {
      let text = String(cString: problem)
      let named = text.hasPrefix(place + ": ")
      throw fault(place, named ? String(text.dropFirst(place.count + 2)) : text)
    }
    let library = text { cm_library($0) }
    let known = ["Open MPI", "MPICH", "Intel", "MVAPICH", "CRAY", "Cray"]
    guard known.contains(where: library.contains) else {
      throw fault(place, "\"\(library)\" is no library that is known here")
    }
    guard cm_start() == 0 else { throw fault(place, "\(library) does not start") }
    let ranks = Ranks(library: library)
    guard ranks.count > 1 else {
      throw fault(
        place,
        "\(library) sees 1 process of the launcher's \(launched): it belongs to another one"
      )
    }
    try ranks.test(place)
    // From here on the lead tells the others when it ends.
    joined.withLock { $0 = ranks }
    atexit { Ranks.world?.close() }
    try ranks.check(identity)
    return ranks
  }

  private init(library: String) {
    self.library = library.components(separatedBy: CharacterSet(charactersIn: ",\n"))[0]
    rank = Int(cm_rank())
    count = Int(cm_ranks())
    let environment = ProcessInfo.processInfo.environment
    patience = environment["SUPERTOP_MPI_TIMEOUT"].flatMap { Double($0) } ?? Ranks.patience
    watchdog = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "supertop.ranks"))
    watchdog.setEventHandler { [unowned self] in
      // The lead first, whose words are the ones that are read.
      let seconds = secondsWaiting - (isLead ? 0 : 5)
      let limit = Double(bitPattern: allowed.load(ordering: .relaxed))
      if seconds > limit { leave("waited \(Format.number(limit)) s for the other processes") }
    }
    watchdog.schedule(deadline: .now() + 1, repeating: 1)
    watchdog.resume()
  }

  private static func fault(_ place: String, _ problem: String) -> UserError {
    UserError(
      .unavailable,
      place,
      problem,
      remedy: "start the program by the launcher of the library, or name that by SUPERTOP_MPI"
    )
  }

  private static func text(_ write: (UnsafeMutablePointer<CChar>) -> Void) -> String {
    var text = [CChar](repeating: 0, count: 1024)
    write(&text)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// A sum whose result is known: a library that does not fit must not compute.
  private func test(_ place: String) throws {
    var values = [Float(rank + 1), Float(rank)]
    var sum: [Float] = [0, 0]
    values.withUnsafeMutableBufferPointer { values in
      sum.withUnsafeMutableBufferPointer { sum in
        add(values, of: ShardTree(shards: count), to: sum)
      }
    }
    guard sum == [Float(count * (count + 1) / 2), Float(count * (count - 1) / 2)] else {
      throw Ranks.fault(place, "\(library) adds up wrongly")
    }
  }

  /// Compares what has to be the same on every rank.
  private func check(_ identity: [(what: String, value: String)]) throws {
    let host = Machine.name
    for (what, value) in identity {
      let all = texts(value)
      guard let other = all.firstIndex(where: { $0 != all[0] }) else { continue }
      let hosts = texts(host)
      guard isLead else {
        _ = broadcast(nil, patiently: true)
        exit(0)
      }
      throw UserError(
        .unavailable,
        "rank \(other) on \(hosts[other])",
        "has \(what) \(all[other]), rank 0 on \(hosts[0]) has \(all[0])",
        remedy: what == "instruction set"
          ? "set SUPERTOP_ISA to one that all hosts have" : "start the same program on all hosts"
      )
    }
  }

  // MARK: Calls

  /// Calls MPI, which may take `seconds`.
  private func call(
    within seconds: Double? = nil,
    _ body: (inout [Float]) -> Int32
  ) {
    received.withLock { received in
      allowed.store((seconds ?? patience).bitPattern, ordering: .relaxed)
      began.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
      let error = body(&received)
      let waited = max(secondsWaiting, Double(bitPattern: longest.load(ordering: .relaxed)))
      longest.store(waited.bitPattern, ordering: .relaxed)
      began.store(0, ordering: .relaxed)
      if error != 0 { leave(Ranks.text { cm_describe(error, $0) }) }
    }
  }

  /// Seconds that a call has been waiting for the others; 0 while there is none.
  package var secondsWaiting: Double {
    let start = began.load(ordering: .relaxed)
    guard start != 0 else { return 0 }
    let now = DispatchTime.now().uptimeNanoseconds
    return now > start ? Double(now - start) * 1e-9 : 0
  }

  /// Ends this process, and with it the job, and says how the run continues.
  package func leave(_ problem: String) -> Never {
    let path = run.withLock(\.self)
    let next = path.map { "continue with supertop resume \($0)" } ?? "start it again"
    let line = "supertop: rank \(rank): \(problem); \(next)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    _exit(UserError.Code.busy.rawValue)
  }

  /// Whether a call waits longer than any has had to: the others will hardly come.
  package var isStuck: Bool {
    secondsWaiting > max(0.5, 2 * Double(bitPattern: longest.load(ordering: .relaxed)))
  }

  /// Names the run that is to be trained, for the line that says how it continues.
  package func names(_ path: String) { run.withLock { $0 = path } }

  /// Whether all train together now.
  package var isTraining: Bool { trains.load(ordering: .relaxed) }

  /// Notes that all begin to train.
  package func begins() {
    longest.store(0, ordering: .relaxed)
    trains.store(true, ordering: .relaxed)
  }

  /// Notes that all have stopped training at the same step.
  package func ends() { trains.store(false, ordering: .relaxed) }

  /// Ends the job: in order where nothing is being trained, and otherwise at once, for the others
  /// wait for what will not come.
  package func close() {
    guard !isTraining else { return cm_abort(1) }
    if isLead { _ = broadcast(Data(), patiently: true) }
    call(within: Ranks.longPatience) { _ in cm_finish() }
  }

  // MARK: Messages

  /// Bytes of the rank `root`, on every rank; the others give nil.
  package func broadcast(_ bytes: Data?, from root: Int = 0, patiently: Bool = false) -> Data {
    let seconds = patiently ? Ranks.longPatience : patience
    var size = Int64(bytes?.count ?? 0)
    call(within: seconds) { _ in
      cm_broadcast(&size, Int32(MemoryLayout<Int64>.size), Int32(root))
    }
    var bytes = bytes ?? Data(count: Int(size))
    bytes.withUnsafeMutableBytes { bytes in
      for first in stride(from: 0, to: bytes.count, by: 1 << 28) {
        let length = min(1 << 28, bytes.count - first)
        call(within: seconds) { _ in
          cm_broadcast(bytes.baseAddress.map { $0 + first }, Int32(length), Int32(root))
        }
      }
    }
    return bytes
  }

  /// A text of each rank, in their order.
  package func texts(_ own: String, patiently: Bool = false) -> [String] {
    (0..<count).map { root in
      String(
        decoding: broadcast(root == rank ? Data(own.utf8) : nil, from: root, patiently: patiently),
        as: UTF8.self
      )
    }
  }

  /// Some numbers of each rank, in their order.
  package func numbers(_ own: [Double]) -> [[Double]] {
    (0..<count).map { root in
      let bytes = broadcast(
        root == rank ? own.withUnsafeBytes { Data($0) } : nil,
        from: root
      )
      return bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    }
  }

  // MARK: Sums

  /// Adds numbers to as many others.
  package static func add(
    _ numbers: UnsafeBufferPointer<Float>,
    to sums: UnsafeMutableBufferPointer<Float>
  ) {
    for i in 0..<numbers.count { sums[i] += numbers[i] }
  }

  /// The sum over all shards of all ranks, in the order of the tree: the same bits for any number
  /// of ranks.
  ///
  /// - Parameters:
  ///   - partials: the sums of this rank's subtrees, one after the other in runs of
  ///     `result.count`.
  ///   - tree: over the shards.
  ///   - result: where the sum goes, on every rank.
  package func add(
    _ partials: UnsafeMutableBufferPointer<Float>,
    of tree: ShardTree,
    to result: UnsafeMutableBufferPointer<Float>
  ) {
    let leaves = (0..<count).map { tree.subtrees(in: tree.shards(of: $0, ranks: count)) }
    let additions = tree.additions(of: leaves.flatMap(\.self))
    let total = result.count
    precondition(partials.count >= leaves[rank].count * total, "Ranks: too few partial sums")
    guard let partials = partials.baseAddress, let result = result.baseAddress else { return }
    for first in stride(from: 0, to: total, by: Ranks.bucket) {
      let length = min(Ranks.bucket, total - first)
      // Rank i adds the elements from cut[i] to cut[i + 1].
      let cut = (0...count).map { first + $0 * length / count }
      let own = cut[rank + 1] - cut[rank]
      call { received in
        let runs = leaves.reduce(0) { $0 + $1.count }
        if received.count < runs * own { received = [Float](repeating: 0, count: runs * own) }
        return received.withUnsafeMutableBufferPointer { received in
          guard let sums = received.baseAddress else { return 0 }
          // An exchange for each subtree of a rank, so that runs are sent from where they lie.
          for turn in 0..<(leaves.map(\.count).max() ?? 0) {
            var out: [Int32] = []
            var outAt: [Int32] = []
            var into: [Int32] = []
            var intoAt: [Int32] = []
            var before = 0
            let sends = turn < leaves[rank].count
            for other in 0..<count {
              out.append(sends ? Int32(cut[other + 1] - cut[other]) : 0)
              outAt.append(sends ? Int32(cut[other] - first) : 0)
              let comes = turn < leaves[other].count
              into.append(comes ? Int32(own) : 0)
              intoAt.append(comes ? Int32((before + turn) * own) : 0)
              before += leaves[other].count
            }
            let from = partials + turn * total * (sends ? 1 : 0) + first
            let error = cm_exchange(from, out, outAt, sums, into, intoAt)
            if error != 0 { return error }
          }
          for (to, from) in additions {
            Ranks.add(
              UnsafeBufferPointer(start: sums + from * own, count: own),
              to: UnsafeMutableBufferPointer(start: sums + to * own, count: own)
            )
          }
          (result + cut[rank]).update(from: sums, count: own)
          let counts = (0..<count).map { Int32(cut[$0 + 1] - cut[$0]) }
          return cm_gather(result + first, counts, cut.dropLast().map { Int32($0 - first) })
        }
      }
    }
  }
}
