import Foundation
import Runs
import TestSupport
import Testing

/// Several processes that a launcher of MPI started train one run (spec S103).
@Suite(.serialized) struct RanksTests {
  /// Launchers that this machine has, and that start processes here: Open MPI's and MPICH's.
  static let launchers = ["mpirun.openmpi", "mpirun.mpich"].filter(works)

  private static func works(_ name: String) -> Bool {
    guard let folder = try? Program.Folder() else { return false }
    let trial = try? Program(
      [name, "-n", "2", "true"],
      in: folder,
      environment: environment,
      executable: "/usr/bin/env"
    )
    return trial?.ending().code == 0
  }

  static let environment = [
    // Tests may run as root, on machines of two cores.
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
    // Containers often forbid reading another process's memory, and have no ssh.
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_plm_rsh_agent": "true",
  ]

  static let search =
    ["search", "--headless", "--json", "--threads", "1", "--set", "shards=4"]
    + Program.tiny(epochs: 12) + ["--run", "run"]

  /// What a run comes to in one process.
  static let alone = Result {
    let ending = try Program.run(search, in: Program.Folder())
    return try #require(ending.lines.last)
  }

  /// Starts the program in so many processes.
  private func start(
    _ launcher: String,
    _ ranks: Int,
    _ words: [String],
    in folder: Program.Folder,
    _ more: [String: String] = [:]
  ) throws -> Program {
    try Program(
      [launcher, "-n", "\(ranks)", Program.path] + words,
      in: folder,
      environment: Self.environment.merging(more) { $1 },
      executable: "/usr/bin/env"
    )
  }

  /// Expects the result of `alone`.
  static func expectSame(_ ending: Program.Ending, _ ranks: Int) throws {
    #expect(ending.code == 0, "\(ranks) ranks: \(ending.errors)")
    let expected = try #require(Program.object(try alone.get()))
    let found = try #require(ending.objects.last)
    for key in ["theta_sha256", "weights_sha256"] {
      #expect(found[key] as? String == expected[key] as? String, "\(ranks) ranks: \(key)")
    }
    for key in ["val_loss", "val_accuracy", "argmax_accuracy", "test_accuracy"] {
      #expect(found[key] as? Double == expected[key] as? Double, "\(ranks) ranks: \(key)")
    }
  }

  @Test(
    .enabled(if: !launchers.isEmpty, "no launcher of MPI works here"),
    arguments: launchers.isEmpty ? [""] : launchers,
    [2, 3, 4]
  )
  func `any number of ranks gives the bits of one process`(launcher: String, ranks: Int) throws {
    let folder = try Program.Folder()
    try Self.expectSame(try start(launcher, ranks, Self.search, in: folder).ending(), ranks)
    let run = try RunFolder.open(path: folder.path + "/run").reader()
    #expect(try run.epochs().count == 12)
  }

  @Test(.enabled(if: !launchers.isEmpty, "no launcher of MPI works here"))
  func `ranks draw the candidates of one process, and prune as it does`() throws {
    let search =
      Self.search
      + [
        "search.paths=drawn", "search.drawn_paths=2", "search.theta_paths=two",
        "search.prune_below=0.3", "search.prune_after=2",
      ].flatMap { ["--set", $0] }
    let (own, folder) = (try Program.Folder(), try Program.Folder())
    let alone = try Program.run(search, in: own)
    let together = try start(Self.launchers[0], 3, search, in: folder).ending()
    #expect(alone.code == 0 && together.code == 0, "\(alone.errors)\(together.errors)")
    let expected = try #require(alone.objects.last)
    let found = try #require(together.objects.last)
    for key in ["weights_sha256", "theta_sha256"] {
      #expect(expected[key] as? String != nil)
      #expect(found[key] as? String == expected[key] as? String, "\(key)")
    }
    func bans(_ folder: Program.Folder) throws -> [String] {
      try RunFolder.open(path: folder.path + "/run").reader().interventions()
        .map { "\($0.action) \($0.step ?? -1) \($0.note)" }
    }
    let pruned = try bans(own)
    #expect(try bans(folder) == pruned && pruned.contains { $0.contains("pruned") })
  }

  @Test(
    .enabled(if: !launchers.isEmpty, "no launcher of MPI works here"),
    arguments: launchers.isEmpty ? [""] : launchers
  )
  func `a rank that is killed ends the job, which goes on with other ranks`(
    launcher: String
  ) throws {
    let folder = try Program.Folder()
    var words = Self.search
    for (ranks, step) in [(2, 12), (3, 40)] {
      let job = try start(launcher, ranks, words, in: folder)
      // From the store: a launcher may keep back what is printed.
      #expect(
        eventually {
          let run = try? RunFolder.open(path: folder.path + "/run").reader()
          return (try? run?.status()?.step ?? 0) ?? 0 >= step || !job.process.isRunning
        }
      )
      kill(try #require(Self.rank(of: job.process.processIdentifier)), SIGKILL)
      #expect(job.ending().code != 0)
      words = ["resume", "run", "--headless", "--json"]
    }
    try Self.expectSame(try Program.run(words, in: folder), 1)
  }

  /// The youngest process below another one.
  private static func rank(of launcher: Int32) -> Int32? {
    var below: [Int32: [Int32]] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let process = Int32(name),
        let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
        let parent = status.split(separator: ")").last?.split(separator: " ").dropFirst().first
      else { continue }
      below[Int32(parent) ?? 0, default: []].append(process)
    }
    var (found, level) = ([Int32](), [launcher])
    while !level.isEmpty {
      level = level.flatMap { below[$0] ?? [] }
      found += level
    }
    return found.max()
  }

  @Test(.enabled(if: !launchers.isEmpty, "no launcher of MPI works here"))
  func `what is asked for acts on all ranks at the same step`() throws {
    let folder = try Program.Folder()
    let words = Self.search.map { $0 == "12" ? "4000" : $0 }
    let job = try start(Self.launchers[0], 2, words, in: folder)
    #expect(
      eventually { (try? RunFolder.open(path: folder.path + "/run").reader().status()) != nil }
    )
    let run = try RunFolder.open(path: folder.path + "/run").reader()
    #expect(try eventually { (try run.status()?.step ?? 0) > 3 })
    func ask(_ request: String) throws {
      let asked = try Program.run(["control", "run", request, "--wait", "300"], in: folder)
      #expect(asked.code == 0, "\(request): \(asked.errors)")
    }
    for request in ["pause", "temperature=2", "pin=layer1:k3_e1", "sample=1", "theta-rate=2"] {
      try ask(request)
    }
    let end = try #require(try run.status()).epoch + 3
    try ask("run-to=\(end)")
    #expect(try eventually { try run.status()?.state == .paused && run.epochs().count == end })
    try run.request(.stop)
    let ending = job.ending()
    #expect(ending.code == 0 && ending.errors.contains("supertop resume run"), "\(ending.errors)")
    let replay = try Program.run(["replay", "run"], in: folder)
    #expect(replay.code == 0 && replay.output.contains("identical"), "\(replay.errors)")
  }

  @Test(.enabled(if: !launchers.isEmpty, "no launcher of MPI works here"))
  func `a job that cannot begin says why in a line, and no rank is left`() throws {
    let folder = try Program.Folder()
    let few = Self.search.map { $0 == "shards=4" ? "shards=1" : $0 }
    let joint = ["search", "--preset", "fbnet-v3-digits", "--headless"]
    let wrong = ["search", "--no-such-option"]
    for (words, code, text) in [
      (few, UserError.Code.configuration, "shards: 1: fewer than the 2 processes"),
      (joint, .usage, "candidates"), (wrong, .usage, "--no-such-option"),
    ] {
      let ending = try start(Self.launchers[0], 2, words, in: folder).ending()
      #expect(ending.code == code.rawValue, "\(ending.errors)")
      let lines = ending.errorLines.filter { $0.hasPrefix("supertop: ") }
      #expect(lines.count == 1 && lines[0].contains(text), "\(ending.errors)")
    }
    let library = try start(
      Self.launchers[0],
      2,
      Self.search,
      in: folder,
      ["SUPERTOP_MPI": folder.path + "/none.so"]
    ).ending()
    #expect(library.code == UserError.Code.unavailable.rawValue)
    let lines = library.errorLines.filter { $0.hasPrefix("supertop: ") }
    #expect(lines.count == 1 && lines[0].contains("none.so"), "\(library.errors)")
  }

  @Test(.enabled(if: launchers.contains("mpirun.openmpi"), "mpirun of Open MPI does not work here"))
  func `ranks with other instructions are refused by name`() throws {
    let folder = try Program.Folder()
    let ending = try Program(
      [
        "mpirun.openmpi", "-n", "1", "-x", "SUPERTOP_ISA=baseline", Program.path,
      ] + Self.search + [":", "-n", "1", "-x", "SUPERTOP_ISA=avx2", Program.path, "models"],
      in: folder,
      environment: Self.environment,
      executable: "/usr/bin/env"
    ).ending()
    let lines = ending.errorLines.filter { $0.hasPrefix("supertop: ") }
    #expect(lines.count == 1 && lines[0].contains("rank 1"), "\(ending.errors)")
    #expect(ending.code == UserError.Code.unavailable.rawValue)
  }

  @Test(.enabled(if: launchers.contains("mpirun.openmpi"), "mpirun of Open MPI does not work here"))
  func `a rank that does not answer ends the job in bounded time`() throws {
    let folder = try Program.Folder()
    let words = Self.search.map { $0 == "12" ? "2000" : $0 }
    let job = try start(
      "mpirun.openmpi",
      2,
      words,
      in: folder,
      ["SUPERTOP_MPI_TIMEOUT": "2"]
    )
    #expect(eventually { job.output.contains("\"step\":3,") || !job.process.isRunning })
    let rank = try #require(Self.rank(of: job.process.processIdentifier))
    kill(rank, SIGSTOP)
    let ending = job.ending()
    kill(rank, SIGKILL)
    #expect(ending.code == UserError.Code.busy.rawValue, "\(ending.errors)")
    #expect(ending.errors.contains("waited 2") && ending.errors.contains("supertop resume"))
  }
}
