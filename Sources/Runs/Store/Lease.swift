import Foundation
import Synchronization

/// The right to a run on a file system that several machines share, where the kernel frees no lock
/// of a machine that is gone.
///
/// The lease is a file that its holder has to `renew` every couple of seconds. Whoever sees it
/// unchanged for long enough by a clock of its own takes it over, so clocks of two machines are
/// never compared. The file comes to its name by `link` and `rename` alone, which are atomic on NFS
/// too.
///
/// It stands beside a lock of the kernel, which decides between the processes of one machine:
/// `claim` is for the holder of that lock.
final class Lease: Sendable {
  /// What the file says of its holder.
  struct Holder: Codable, Sendable, Equatable {
    /// Name of the machine, for people.
    var host: String
    /// Distinguishes machines, and the starts of one.
    var machine: String
    var process: Int32
    /// Distinguishes this lease from all others.
    var token: String
    /// Signs of life so far.
    var beats: Int
  }

  private struct State {
    var holder: Holder
    var isLost = false
    /// Goes on while the machine sleeps.
    var lastBeat = ContinuousClock.now
  }

  private let path: String
  private let beat: Double
  private let state: Mutex<State>

  /// Takes the lease at `path`, if it is free or its holder dead.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - watch: what this process has seen of leases.
  ///   - patience: seconds of silence after which a holder counts as dead.
  ///   - beat: least seconds between two signs of life.
  /// - Returns: the lease; nil if another machine holds it.
  /// - Throws: `.cannotCreate` if the folder cannot be written.
  static func claim(
    _ path: String,
    watch: LeaseWatch,
    patience: Double,
    beat: Double = 2
  ) throws -> Lease? {
    if let seen = try? readText(path) {
      guard watch.isDead(path, seen, patience: patience), remove(path, seen) else { return nil }
    }
    let holder = Holder(
      host: Machine.name,
      machine: Machine.identity,
      process: getpid(),
      token: UUID().uuidString,
      beats: 0
    )
    return try create(path, holder) ? Lease(path, holder, beat: min(beat, patience / 4)) : nil
  }

  /// Who holds the lease at `path`, dead or alive; nil when nobody does.
  static func holder(of path: String) -> Holder? {
    (try? readText(path)).flatMap(Holder.init(text:))
  }

  private init(_ path: String, _ holder: Holder, beat: Double) {
    self.path = path
    self.beat = beat
    state = Mutex(State(holder: holder))
  }

  deinit { release() }

  /// Gives it back; nothing where another machine has it.
  func release() {
    state.withLock { state in
      if !state.isLost, Self.holder(of: path)?.token == state.holder.token { unlink(path) }
      state.isLost = true
    }
  }

  /// Gives a sign of life where one is due.
  ///
  /// Returns false where another machine has taken the lease over: the work is no longer this
  /// process's. One that was stopped for a while finds out before it does anything else.
  func renew() -> Bool {
    state.withLock { state in
      if (.now - state.lastBeat).seconds >= beat { giveSign(&state) }
      return !state.isLost
    }
  }

  private func giveSign(_ state: inout State) {
    guard !state.isLost else { return }
    guard let found = Self.holder(of: path) else {
      // Somebody who takes it for dead is looking at it, and puts it back; or it was removed.
      _ = try? Self.create(path, state.holder)
      return
    }
    guard found.token == state.holder.token else {
      state.isLost = true
      return
    }
    state.holder.beats += 1
    // A full disk is no reason to stop; without a sign of life the lease ends by itself.
    guard let draft = try? Self.draft(path, state.holder) else { return }
    if rename(draft, path) == 0 { state.lastBeat = .now } else { unlink(draft) }
  }

  // MARK: The file

  /// Writes the file under a name that nobody else has.
  private static func draft(_ path: String, _ holder: Holder) throws -> String {
    let draft = path + ".new-\(UUID().uuidString)"
    let text = try JSONText.encode(holder) + "\n"
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
    } catch {
      unlink(draft)
      throw UserError(
        .cannotCreate,
        path,
        "cannot be written",
        remedy: "check the folder's permissions and the space that is left"
      )
    }
    return draft
  }

  /// Makes the file; false where there is one.
  private static func create(_ path: String, _ holder: Holder) throws -> Bool {
    let draft = try draft(path, holder)
    defer { unlink(draft) }
    if link(draft, path) == 0 { return true }
    // NFS may repeat a request whose answer was lost: the count of links tells the truth.
    var status = stat()
    return stat(draft, &status) == 0 && status.st_nlink == 2
  }

  /// Removes a dead lease; false if it is not the one that was seen dead.
  private static func remove(_ path: String, _ seen: String) -> Bool {
    let aside = path + ".dead-\(UUID().uuidString)"
    guard rename(path, aside) == 0 else { return false }
    defer { unlink(aside) }
    if (try? readText(aside)) == seen { return true }
    link(aside, path)
    return false
  }
}

extension Lease.Holder {
  fileprivate init?(text: String) {
    guard let holder = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
      return nil
    }
    self = holder
  }
}

/// What a process has seen of leases: how long each has been silent.
final class LeaseWatch: Sendable {
  /// For all leases that this process looks at.
  static let process = LeaseWatch()

  private let seen = Mutex<[String: (text: String, since: ContinuousClock.Instant)]>([:])

  /// Whether the lease at `path`, which reads `text` now, is of a holder that is dead.
  func isDead(_ path: String, _ text: String, patience: Double) -> Bool {
    // The caller has the lock of the kernel, so a process of this machine has not.
    if Lease.Holder(text: text)?.machine == Machine.identity { return true }
    let now = ContinuousClock.now
    return seen.withLock { seen in
      guard let last = seen[path], last.text == text else {
        seen[path] = (text, now)
        return false
      }
      return (now - last.since).seconds >= patience
    }
  }
}
