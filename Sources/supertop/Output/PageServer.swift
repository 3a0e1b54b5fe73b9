import Dispatch
import Foundation
import Runs
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server of one page over HTTP/1.1, for programs of this machine: it listens on 127.0.0.1 alone,
/// reads no more than it needs, and closes each connection after its answer.
final class PageServer: Sendable {
  /// Port that it listens on.
  let port: UInt16
  private let listener: Int32
  private let connections = Atomic<Int>(0)

  /// Connections at once, and the bytes and seconds that one may take.
  private static let (most, largest, patience) = (16, 8192, 2.0)

  /// Listens on a port, 0 for any free one; `.unavailable` where it is taken or not allowed.
  init(port: UInt16) throws {
    #if canImport(Darwin)
      listener = socket(AF_INET, SOCK_STREAM, 0)
    #else
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let file = listener
    let listens = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, size) == 0 && listen(file, 64) == 0 && getsockname(file, $0, &size) == 0
      }
    }
    guard listens else {
      let number = errno
      close(listener)
      throw UserError(
        .unavailable,
        "port \(port)",
        systemMessage(number),
        remedy: "give another one, or end the program that has it"
      )
    }
    self.port = UInt16(bigEndian: address.sin_port)
    Self.prepare(listener)
  }

  deinit { close(listener) }

  /// Answers until `isOver`, each request on a thread of its own.
  func serve(
    _ path: String,
    type: String,
    until isOver: () -> Bool,
    page: @escaping @Sendable () -> String
  ) {
    let queue = DispatchQueue(label: "supertop.pages", attributes: .concurrent)
    while !isOver() {
      guard Self.waits(for: POLLIN, of: listener, until: Self.now + 0.2) else { continue }
      let client = accept(listener, nil, nil)
      guard client >= 0 else {
        // Such as no free descriptor: others end in a while.
        usleep(10_000)
        continue
      }
      Self.prepare(client)
      let count = connections.add(1, ordering: .relaxed).newValue
      queue.async {
        let end = Self.now + Self.patience
        let answer =
          count > Self.most
          ? Self.answer("503 Service Unavailable")
          : Self.answer(to: Self.request(client, until: end), path: path, type: type, page: page)
        Self.send(answer, to: client, until: Self.now + Self.patience)
        close(client)
        self.connections.subtract(1, ordering: .relaxed)
      }
    }
  }

  /// The answer to a request's first line, or to a request that is none.
  private static func answer(
    to request: Request,
    path: String,
    type: String,
    page: () -> String
  ) -> String {
    let line: String
    switch request {
    case .line(let text): line = text
    case .tooLarge: return answer("431 Request Header Fields Too Large")
    case .tooSlow: return answer("408 Request Timeout")
    }
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return answer("400 Bad Request") }
    guard words[0] == "GET" || words[0] == "HEAD" else {
      return answer("405 Method Not Allowed", head: "Allow: GET, HEAD\r\n")
    }
    guard words[1].prefix(while: { $0 != "?" }) == path else {
      return answer("404 Not Found", body: "see \(path)\n")
    }
    return answer("200 OK", type: type, body: page(), hasBody: words[0] == "GET")
  }

  private static func answer(
    _ status: String,
    head: String = "",
    type: String = "text/plain; charset=utf-8",
    body: String = "",
    hasBody: Bool = true
  ) -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
      + "\(head)Connection: close\r\n\r\n" + (hasBody ? body : "")
  }

  // MARK: Sockets

  private enum Request {
    case line(String)
    case tooLarge, tooSlow
  }

  private static var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Lets nothing wait on a socket, and no other program have it.
  private static func prepare(_ socket: Int32) {
    _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
  }

  private static func waits(for event: Int32, of socket: Int32, until end: Double) -> Bool {
    var waiting = pollfd(fd: socket, events: Int16(event), revents: 0)
    return poll(&waiting, 1, Int32(max(0, (end - now) * 1000))) > 0
  }

  /// Reads a request to the end of its head.
  private static func request(_ client: Int32, until end: Double) -> Request {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: largest)
    while bytes.count <= largest {
      guard waits(for: POLLIN, of: client, until: end) else { return .tooSlow }
      let count = read(client, &piece, piece.count)
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      // Whoever ends before the head does is told that this is no request.
      guard count > 0 else { return .line("") }
      bytes += piece[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      if text.contains("\r\n\r\n") || text.contains("\n\n") {
        return .line(String(text.prefix { !$0.isNewline }))
      }
    }
    return .tooLarge
  }

  private static func send(_ text: String, to client: Int32, until end: Double) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty, waits(for: POLLOUT, of: client, until: end) {
        let count = write(client, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 { rest = rest.dropFirst(count) }
        if count < 0, errno != EAGAIN, errno != EINTR { return }
      }
    }
  }
}
