import Foundation
import Runs
import TestSupport
import Testing

/// Several runs and several viewers in real terminals.
@Suite(.serialized, .enabled(if: Tmux.isInstalled, "tmux is not installed"))
struct ManyRunsTests {
  private func search(_ name: String, in folder: Program.Folder) throws -> Program {
    let program = try Program(
      ["search", "--headless", "--run", "runs/" + name] + Program.tiny(epochs: 2000),
      in: folder
    )
    let path = folder.path + "/runs/" + name
    #expect(eventually { ((try? RunFolder.open(path: path).reader().status()?.step) ?? 0) > 0 })
    return program
  }

  @Test func `a folder of runs is a list, from which each run is opened, steered and left`() throws
  {
    let folder = try Program.Folder()
    let one = try search("one", in: folder)
    defer { kill(one.process.processIdentifier, SIGKILL) }
    let tmux = try Tmux("'\(Program.path)' watch runs", in: folder.path, columns: 120, rows: 36)
    try tmux.waits("the list") { $0.contains("1 run ") && $0.contains("running") }
    // A run that begins meanwhile comes into the list.
    let two = try search("two", in: folder)
    defer { kill(two.process.processIdentifier, SIGKILL) }
    try tmux.waits("the new run") { $0.contains("2 runs") && $0.contains("new in the list: two") }
    try tmux.press("/")
    try tmux.press("-l", "name:two")
    try tmux.press("Enter")
    try tmux.waits("the filter") { $0.contains("1 of 2 runs") && $0.contains("filter: name:two") }
    try tmux.press("Enter")
    try tmux.waits("the dashboard of two") { $0.contains("RUNNING") && $0.contains("Layers") }
    try tmux.press("j", "Space")
    try tmux.waits("a paused search") { $0.contains("PAUSED") }
    let run = try RunFolder.open(path: folder.path + "/runs/two")
    #expect(try run.reader().status()?.state == .paused)
    try tmux.press("Escape")
    try tmux.waits("the list") { $0.contains("1 of 2 runs") && $0.contains("paused") }
    // Nobody holds what nobody looks at.
    #expect(SteeringClaim(run).look() == .granted)
    try tmux.press("Escape")
    try tmux.waits("all runs") { $0.contains("2 runs") && !$0.contains("filter:") }
    try tmux.press("q")
    let end = try tmux.waits("a clean terminal") { $0.contains("isig+") }
    #expect(end.contains("exit=0"))
    #expect(one.process.isRunning && two.process.isRunning)
  }

  @Test func `of two viewers one steers until it is killed`() throws {
    let folder = try Program.Folder()
    let program = try search("one", in: folder)
    defer { kill(program.process.processIdentifier, SIGKILL) }
    let run = try RunFolder.open(path: folder.path + "/runs/one")
    func watch(_ options: String = "") throws -> Tmux {
      try Tmux(
        "'\(Program.path)' watch runs/one \(options)",
        in: folder.path,
        columns: 120,
        rows: 36
      )
    }
    let first = try watch()
    try first.waits("a running search") { $0.contains("RUNNING") }
    var holder: Int32 = 0
    #expect(
      eventually {
        guard case .held(let process) = SteeringClaim(run).look() else { return false }
        holder = process
        return process > 0
      }
    )
    let second = try watch()
    try second.waits("who steers") {
      $0.contains("read-only: PID \(holder) steers") && $0.contains("RUNNING")
    }
    try second.press("Space")
    usleep(300_000)
    #expect(try run.reader().interventions().isEmpty)
    let third = try watch("--read-only")
    try third.waits("its own reason") { $0.contains("read-only: opened with --read-only") }

    kill(holder, SIGKILL)
    try second.waits("the right to steer") { $0.contains("this viewer steers from now on") }
    #expect(program.process.isRunning)
    try second.press("Space")
    try second.waits("a paused search") { $0.contains("PAUSED") }
    #expect(try run.reader().interventions().map(\.action) == [.pause])
    try third.waits("the pause") { $0.contains("PAUSED") && $0.contains("read-only") }
    try third.press("q")
    #expect(try third.waits("the end") { $0.contains("isig+") }.contains("exit=0"))
    #expect(program.process.isRunning)
  }

  @Test func `a trainer that is stopped and continued is told of in its dashboard`() throws {
    let folder = try Program.Folder()
    let program = try search("one", in: folder)
    let process = program.process.processIdentifier
    defer { kill(process, SIGKILL) }
    let tmux = try Tmux("'\(Program.path)' watch runs/one", in: folder.path, columns: 160, rows: 40)
    try tmux.waits("a running search") { $0.contains("RUNNING") }
    kill(process, SIGSTOP)
    try tmux.waits("the silence") { $0.contains("NO SIGN OF LIFE") }
    #expect(try tmux.screen().contains("kill -CONT \(process)"))
    kill(process, SIGCONT)
    try tmux.waits("the search again") { $0.contains("RUNNING") && !$0.contains("NO SIGN") }
  }
}
