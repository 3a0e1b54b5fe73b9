import Foundation
import Runs
import TestSupport
import Testing

/// A farm on two machines that share files and no locks of a kernel (spec S124): processes of this
/// one, each of which locks a byte of its machine in place of the file, and sees the host name and
/// the start of the system of that machine.
@Suite(.serialized) struct FarmMachinesTests {
  private static let search =
    JointTests.tiny.filter { $0 != "--headless" } + ["--epochs", "12", "--run", "run"]
    + ["search.parallel=1"].flatMap { ["--set", $0] }

  /// Two machines over one folder.
  private struct Machines {
    let folder: Program.Folder

    init() throws {
      folder = try Program.Folder()
      let flock = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/file.h>
        int flock(int file, int operation) {
          struct flock lock = {.l_whence = 0, .l_start = atoi(getenv("MACHINE")), .l_len = 1};
          lock.l_type = operation & LOCK_UN ? F_UNLCK : operation & LOCK_EX ? F_WRLCK : F_RDLCK;
          return fcntl(file, operation & LOCK_NB ? F_OFD_SETLK : F_OFD_SETLKW, &lock);
        }
        """
      _ = try folder.write("flock.c", Data(flock.utf8))
      try folder.shell("clang -shared -fPIC -w -o flock.so flock.c")
      for number in 1...2 {
        _ = try folder.write("boot\(number)", Data("start-of-machine-\(number)\n".utf8))
      }
    }

    /// Starts a command on a machine; its process is the command's own.
    func start(_ words: [String], on number: Int) throws -> Program {
      let setting = """
        set -e
        hostname machine\(number)
        mount --bind '\(folder.path)/boot\(number)' /proc/sys/kernel/random/boot_id
        export MACHINE=\(number) LD_PRELOAD='\(folder.path)/flock.so'
        exec "$@"
        """
      return try Program(
        ["unshare", "--mount", "--uts", "bash", "-c", setting, "--"] + words,
        in: folder,
        executable: "/usr/bin/env"
      )
    }

    func work(on number: Int) throws -> Program {
      try start([Program.path, "farm", "work", "run"], on: number)
    }

    var run: RunFolder { get throws { try RunFolder.open(path: folder.path + "/run") } }
  }

  private static let isPossible: Bool = {
    guard let machines = try? Machines() else { return false }
    return (try? machines.start(["true"], on: 1).ending().code) == 0
  }()

  @Test(.enabled(if: isPossible, "needs clang, and the right to make namespaces"))
  func `a worker that dies or is cut off is replaced by one of the other machine`() throws {
    let alone = try Program.Folder()
    #expect(try Program.run(["search", "--headless"] + Self.search, in: alone).code == 0)
    let machines = try Machines()
    let folder = machines.folder
    #expect(try Program.run(["search", "--prepare"] + Self.search, in: folder).code == 0)
    let made = try Program.run(["farm", "init", "run", "--patience", "15"], in: folder)
    #expect(made.code == 0, "\(made.errors)")
    let run = try machines.run
    let farm = try Farm(run)
    func settled() throws -> Int { try farm.trials().count { $0.state.isSettled } }

    // The first leads, and is cut off for longer than the others' patience.
    let first = try machines.work(on: 1)
    #expect(eventually { run.worker()?.host == "machine1" || !first.process.isRunning })
    var second = try machines.work(on: 2)
    #expect(
      try eventually {
        try farm.trials().contains { $0.host == "machine1" } || !first.process.isRunning
      }
    )
    kill(first.process.processIdentifier, SIGSTOP)
    #expect(eventually { run.worker()?.host == "machine2" || !second.process.isRunning })
    kill(first.process.processIdentifier, SIGCONT)

    // Then the second dies, in the middle of a trial where there is one left.
    let before = try settled()
    kill(second.process.processIdentifier, SIGKILL)
    _ = second.ending()
    #expect(try eventually { try settled() > before || !first.process.isRunning })
    second = try machines.work(on: 2)
    for worker in [first, second] {
      let ending = worker.ending()
      #expect(ending.code == 0, "\(ending.output)\(ending.errors)")
    }
    #expect(try farm.lead().isFinished)
    #expect(try JointTests.table(folder) == JointTests.table(alone))
  }
}
