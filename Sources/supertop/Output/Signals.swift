import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Signals as a person means them: the first asks for a checkpoint and an orderly end, the second
/// leaves at once.
final class Signals {
  private var sources: [any DispatchSourceSignal] = []
  private let seen: Seen

  /// The first signal that came; shared with the handlers, which run on a queue of their own.
  private final class Seen: Sendable {
    let signal = Atomic<Int32>(0)
  }

  /// A signal that came before its source was listening, 0 for none.
  private static let early = Atomic<Int32>(0)

  /// Lets writes to a closed pipe, or to no descriptor at all, fail instead of ending the program
  /// or landing in a file that was opened under the number of standard output.
  static func protectOutput() {
    // A reader that went away, and a file that may grow no more, are errors of the write.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number, which is this one.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// Lets training outlive its terminal.
  static func ignoreHangUp() {
    signal(SIGHUP, SIG_IGN)
  }

  /// Calls `first` with the number of the first signal among `signals`, on a background queue.
  init(_ signals: [Int32] = [SIGINT, SIGTERM, SIGHUP], first: @escaping @Sendable (Int32) -> Void) {
    let seen = Seen()
    self.seen = seen
    let queue = DispatchQueue(label: "supertop.signals", qos: .userInteractive)
    // Made here, as a signal handler must not do it.
    Self.early.store(0, ordering: .sequentiallyConsistent)
    for number in signals {
      // A source listens only after a while, and what is ignored until then is lost.
      let previous = signal(number) { Signals.early.store($0, ordering: .sequentiallyConsistent) }
      // `nohup` wants it ignored, and so does a dashboard that was left; that stays so. (A shell's
      // `&` ignores SIGINT as well, but whoever sends that means it.)
      let wasIgnored = unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
      if number == SIGHUP, wasIgnored {
        signal(number, SIG_IGN)
        continue
      }
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      let handle: @Sendable () -> Void = {
        let before = seen.signal.compareExchange(
          expected: 0,
          desired: number,
          ordering: .sequentiallyConsistent
        )
        if before.exchanged { first(number) } else { _exit(128 + number) }
      }
      source.setEventHandler(handler: handle)
      source.setRegistrationHandler {
        let missed = Self.early.compareExchange(
          expected: number,
          desired: 0,
          ordering: .sequentiallyConsistent
        )
        if missed.exchanged { handle() }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Number of the first signal that came, nil while none has.
  var received: Int32? {
    let number = seen.signal.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : number
  }
}
