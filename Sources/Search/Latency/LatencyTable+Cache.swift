import Data
import Foundation
import Networks
import Runs
import Tensor

extension LatencyTable {
  /// The table of a space on this machine: the one kept in `path`, or one that is measured now and
  /// kept there.
  ///
  /// What an interrupted measurement has timed is in `path` + `.unfinished`; the next one continues
  /// from it.
  /// Where `path` is no plain file (a pipe, standard output) there is none.
  ///
  /// - Parameters:
  ///   - space: the space.
  ///   - path: the file; by default `cachePath`.
  ///   - threads: workers inside a block.
  ///   - isa: the kernels to time.
  ///   - precision: what is enough.
  ///   - remeasures: whether to measure even if there is a finished table.
  ///   - progress: see `measured`.
  ///   - unkept: called once if nothing can be kept in `path`, before the measurement where that
  ///     shows; what it throws ends it.
  /// - Returns: the table, whole and fitting the space.
  /// - Throws: those of `measured`, and of `unkept`.
  package static func kept(
    for space: any TimedSpace,
    in path: String? = nil,
    threads: Int,
    isa: InstructionSet = .chosen,
    precision: LatencyPrecision = LatencyPrecision(),
    remeasures: Bool = false,
    progress: (LatencyProgress) throws -> Void = { _ in },
    unkept: (UserError) throws -> Void = { throw $0 }
  ) throws -> LatencyTable {
    let path = path ?? cachePath(for: space, threads: threads, isa: isa)
    // A damaged file of the cache is made again, as any other of its kind.
    if !remeasures, let table = try? load(path: path),
      (try? space.milliseconds(by: table, place: path)) != nil
    {
      return table
    }
    let unfinished = Path.sibling(of: path, ".unfinished")
    var isKept = true
    func keep(_ write: () throws -> Void) throws {
      guard isKept else { return }
      do {
        try write()
      } catch let error as UserError {
        isKept = false
        try unkept(error)
      }
    }
    var isFile = false
    try keep { isFile = try preparePlace(path) }
    let table = try measured(
      for: space,
      threads: threads,
      isa: isa,
      precision: precision,
      continuing: (try? load(path: unfinished)).flatMap { $0.isPart(of: space) ? $0 : nil },
      progress: progress,
      save: { part in if isFile { try keep { try part.write(to: unfinished) } } }
    )
    try keep { try table.write(to: path) }
    if isFile { unlink(unfinished) }
    return table
  }

  /// Makes the folder of a table that is to be written; whether it will be a plain file.
  ///
  /// Throws what writing would throw, as far as that shows beforehand.
  private static func preparePlace(_ path: String) throws -> Bool {
    let folder = Path.folder(path)
    let fault = makeFolders(folder)
    guard fault == 0 else {
      throw UserError(
        .cannotCreate,
        path,
        "cannot be written, \(systemMessage(fault))",
        remedy: "check that the folder can be made"
      )
    }
    guard case .file(let place) = try OutputPlace(path) else { return false }
    guard access(Path.folder(place), W_OK) == 0 else {
      throw UserError(
        .cannotCreate,
        path,
        "cannot be written, \(systemMessage())",
        remedy: "check that the folder is writable"
      )
    }
    return true
  }

  /// Whether all its cells are cells of the space.
  private func isPart(of space: any TimedSpace) -> Bool {
    let ends = Set(space.latencyEnds.map { Key.end($0.candidate, $0.block.latencyCell) })
    let keys = ends.union(space.latencyCells.map { Key.cell($0.latencyCell) })
    return entries.allSatisfy { keys.contains($0.key) }
  }

  /// Where this machine's table of a space is kept for the user: a name of processor, threads,
  /// instruction set and cells.
  package static func cachePath(
    for space: any TimedSpace,
    threads: Int,
    isa: InstructionSet = .chosen
  ) -> String {
    let cells = space.latencyEnds.map(\.block) + space.latencyCells
    let hash = SHA256.hex(
      cells.map { "\($0.summary) \($0.height) \($0.width) \($0.input) \($0.output) \($0.stride)" }
        .joined(separator: "\n").utf8
    )
    let processor = hostProcessor().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
      .split(separator: "-").joined(separator: "-")
    return "\(userCacheFolder())/latency-\(processor)-\(isa.rawValue)-\(threads)t-"
      + "\(hash.prefix(12)).json"
  }

  /// The processor's name, as the system names it.
  package static func hostProcessor() -> String {
    #if os(Linux)
      let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let name = lines.split(separator: "\n").first { $0.hasPrefix("model name") }
        .flatMap { $0.split(separator: ":", maxSplits: 1).last }
      if let name { return name.trimmingCharacters(in: .whitespaces) }
    #else
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      if size > 1, sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 {
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    #endif
    return "this machine"
  }
}
