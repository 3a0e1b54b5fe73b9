import Foundation
import Runs
import TestSupport
import Testing

/// `supertop farm`: trials that several processes train, and what it says of them (spec S103).
@Suite(.serialized) struct FarmCommandTests {
  /// A joint search that takes a worker long enough to be killed in.
  private static let joint =
    JointTests.tiny.filter { $0 != "--headless" } + ["--epochs", "8"]
    + ["search.candidates=5", "search.parallel=1"].flatMap { ["--set", $0] }

  /// The same search by one process, its candidates but for the times of their trainings.
  private static let alone = Result {
    let folder = try Program.Folder()
    let ending = try Program.run(["search", "--run", "run", "--headless"] + joint, in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    return try JointTests.table(folder)
  }

  private static func prepared(_ options: [String] = []) throws -> Program.Folder {
    let folder = try Program.Folder()
    let made = try Program.run(["search", "--run", "run", "--prepare"] + joint, in: folder)
    #expect(made.code == 0 && made.lines == ["run"], "\(made.errors)")
    let ending = try Program.run(["farm", "init", "run"] + options, in: folder)
    #expect(ending.code == 0, "\(ending.errors)")
    return folder
  }

  private static let work = ["farm", "work", "run"]

  @Test func `two workers give the candidates of one process`() throws {
    let folder = try Self.prepared()
    let workers = try (0..<2).map { _ in try Program(Self.work + ["--json"], in: folder) }
    let endings = workers.map { $0.ending() }
    for ending in endings {
      #expect(ending.code == 0 && ending.errors == "", "\(ending.errors)")
      for line in try ending.values() {
        let name =
          switch line["event"] {
          case .text("trial"): "`trial` of farm work"
          case .text("candidate"): "`candidate` of a joint search"
          default: "`done` of a joint search"
          }
        #expect(Contract.faults(line, as: name) == [])
      }
    }
    #expect(endings.contains { $0.output.contains("\"event\":\"trial\"") })
    #expect(try JointTests.table(folder) == Self.alone.get())
    let state = try Program.run(["farm", "status", "run", "--json"], in: folder)
    let farm = try #require(try state.values().last)
    #expect(Contract.faults(farm, as: "object of farm") == [])
    #expect(farm["done"] == .flag(true))
    #expect(farm["trials"]?.list.count == (try JointTests.table(folder).count))
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "")
    // Nothing is left: no fault, and no training.
    #expect(try Program.run(Self.work, in: folder).code == 0)
    #expect(try Program.run(Self.work + ["--task", "3"], in: folder).code == 0)
    let again = try Program.run(["farm", "init", "run"], in: folder)
    #expect(again.code == UserError.Code.usage.rawValue && again.errors.contains("finished"))
    #expect(again.errors.contains("--rounds"))
  }

  @Test func `workers killed ten times lose nothing and train nothing twice`() throws {
    let folder = try Self.prepared()
    var workers = try (0..<2).map { _ in try Program(Self.work, in: folder) }
    for _ in 0..<10 {
      usleep(UInt32.random(in: 1000...500_000))
      let victim = Int.random(in: 0..<2)
      kill(workers[victim].process.processIdentifier, SIGKILL)
      _ = workers[victim].ending()
      workers[victim] = try Program(Self.work, in: folder)
    }
    for worker in workers {
      let ending = worker.ending()
      #expect(ending.code == 0, "\(ending.errors)")
    }
    #expect(try JointTests.table(folder) == Self.alone.get())
    let runs = names(in: folder.path + "/run/trials") ?? []
    let made = Set(runs.filter { !$0.contains(".new-") })
    #expect(made.count == (try JointTests.table(folder).count))
  }

  @Test func `a task ends when its trial is trained, whoever leads`() throws {
    let folder = try Self.prepared()
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "0-12\n")
    let second = try Program.run(
      Self.work,
      in: folder,
      environment: ["SLURM_ARRAY_TASK_ID": "1"]
    )
    #expect(second.code == 0, "\(second.errors)")
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "2-12\n")
    // It is in the second round, which follows from the first.
    let seventh = try Program.run(
      Self.work,
      in: folder,
      environment: ["JOB_COMPLETION_INDEX": "6"]
    )
    #expect(seventh.code == 0, "\(seventh.errors)")
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "7-12\n")
    // Beside another process, which may lead.
    let other = try Program(Self.work, in: folder)
    let ninth = try Program.run(Self.work + ["--task", "8"], in: folder)
    #expect(ninth.code == 0, "\(ninth.errors)")
    let trials = try Farm(RunFolder.open(path: folder.path + "/run")).trials()
    #expect(trials[8].state == .finished)
    #expect(other.ending().code == 0)
    #expect(try JointTests.table(folder) == Self.alone.get())
  }

  @Test func `a signal leaves the work to others, and a person's stop ends them all`() throws {
    let folder = try Self.prepared()
    let first = try Program(Self.work, in: folder)
    let run = folder.path + "/run"
    #expect(eventually { pathExists(run + "/lease.json") || !first.process.isRunning })
    let others = try (0..<2).map { _ in try Program(Self.work, in: folder) }
    kill(first.process.processIdentifier, SIGTERM)
    let left = first.ending()
    // On a quick machine it may be done before.
    #expect(left.code == 128 + SIGTERM || left.code == 0, "\(left.errors)")
    #expect(left.code == 0 || left.errorLines == ["supertop: stopped; others go on from here"])
    let asked = try Program.run(["control", "run", "stop"], in: folder)
    let endings = others.map { $0.ending() }
    #expect(endings.allSatisfy { $0.code == 0 }, "\(endings.map(\.errors))")
    if asked.code == 0, try RunFolder.open(path: run).reader().result() == nil {
      #expect(endings.allSatisfy { $0.errors.contains("the search was stopped") })
    }
    #expect(try Program.run(Self.work, in: folder).code == 0)
    #expect(try JointTests.table(folder) == Self.alone.get())
  }

  @Test func `a candidate that a person stops ends on the worker that trains it`() throws {
    let folder = try Program.Folder()
    let long = Self.joint + ["--epochs", "100000"]
    let made = try Program.run(["search", "--run", "run", "--prepare"] + long, in: folder)
    #expect(made.code == 0, "\(made.errors)")
    #expect(try Program.run(["farm", "init", "run"], in: folder).code == 0)
    let workers = try (0..<2).map { _ in try Program(Self.work, in: folder) }
    let farm = try Farm(RunFolder.open(path: folder.path + "/run"))
    func helped() throws -> Farm.Trial? {
      let leader = farm.folder.worker()?.process
      return try farm.trials().first { $0.state == .running && $0.process != leader }
    }
    #expect(try eventually { try farm.folder.worker() != nil && helped() != nil })
    let trial = try #require(try helped())
    let request = "stop-candidate=\(trial.index + 1)"
    let asked = try Program.run(["control", "run", request], in: folder)
    #expect(asked.code == 0, "\(asked.errors)")
    let run = try #require(farm.run(trial.run))
    #expect(try eventually { try farm.trials()[trial.index].state == .stopped })
    // Its worker takes another one.
    #expect(eventually { run.worker() == nil })
    #expect(try eventually { try helped().map { $0.run != trial.run } ?? false })
    #expect(try Program.run(["control", "run", "pause"], in: folder).code == 0)
    #expect(try eventually { try farm.lead().isPaused })
    #expect(try Program.run(["control", "run", "stop"], in: folder).code == 0)
    #expect(workers.map { $0.ending().code } == [0, 0])
  }

  @Test func `the dashboard's process leads beside a worker`() throws {
    let folder = try Self.prepared()
    let worker = try Program(Self.work, in: folder)
    // The one that is there first has the lead; the other one is told so, or helps.
    let resumed = try Program.run(["resume", "run", "--headless"], in: folder)
    #expect([0, UserError.Code.busy.rawValue].contains(resumed.code), "\(resumed.errors)")
    #expect(worker.ending().code == 0)
    #expect(try Program.run(["resume", "run", "--headless"], in: folder).code == 0)
    #expect(try JointTests.table(folder) == Self.alone.get())
  }

  @Test func `collecting concludes what workers have trained`() throws {
    let folder = try Self.prepared()
    // The trials of the first round by processes that know nothing of the search.
    for number in 1...5 {
      let trained = try Program.run(
        ["resume", "run/trials/candidate-\(number)", "--headless"],
        in: folder
      )
      #expect(trained.code == 0, "\(trained.errors)")
    }
    let collected = try Program.run(["farm", "collect", "run", "--json"], in: folder)
    #expect(collected.code == 0, "\(collected.errors)")
    #expect(Contract.faults(try collected.values().last, as: "object of farm") == [])
    #expect(try Program.run(Self.work, in: folder).code == 0)
    #expect(try JointTests.table(folder) == Self.alone.get())
  }

  // MARK: Networks that are derived

  private static let derive = ["--top", "3", "--retrain-epochs", "4", "--samples", "4"]

  private static func searched() throws -> Program.Folder {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--headless", "--run", "run"] + Program.tiny(),
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    return folder
  }

  private static func derived(_ folder: Program.Folder) throws -> [DerivedRecord] {
    let records = try RunFolder.open(path: folder.path + "/run").reader().derived()
    return records.map {
      var record = $0
      record.measuredLatency = nil
      return record
    }
  }

  @Test func `derived networks that workers trained are those that derive trains`() throws {
    let folder = try Self.searched()
    let alone = try Program.Folder()
    try FileManager.default.copyItem(
      atPath: folder.path + "/run",
      toPath: alone.path + "/run"
    )
    let whole = try Program.run(["derive", "run"] + Self.derive, in: alone)
    #expect(whole.code == 0, "\(whole.errors)")
    let made = try Program.run(["farm", "init", "run"] + Self.derive, in: folder)
    #expect(made.code == 0, "\(made.errors)")
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "0-2\n")
    let one = try Program.run(Self.work + ["--task", "1", "--threads", "1"], in: folder)
    #expect(one.code == 0, "\(one.errors)")
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "0,2\n")
    let rest = try (0..<2).map { _ in try Program(Self.work, in: folder) }
    #expect(rest.allSatisfy { $0.ending().code == 0 })
    let collected = try Program.run(["farm", "collect", "run"], in: folder)
    #expect(collected.code == 0 && collected.output.contains("3 finished"), "\(collected.errors)")
    #expect(try Self.derived(folder) == Self.derived(alone))
    // And repeated: neither other networks nor a training.
    let again = try Program.run(["derive", "run"] + Self.derive, in: folder)
    #expect(again.output == whole.output)
    #expect(try Self.derived(folder) == Self.derived(alone))
  }

  @Test func `a trial that diverges is on record and ends its worker with its line`() throws {
    let folder = try Self.searched()
    let made = try Program.run(
      ["farm", "init", "run", "--set", "learning_rate=1e30"] + Self.derive,
      in: folder
    )
    #expect(made.code == 0, "\(made.errors)")
    let ending = try Program.run(Self.work, in: folder)
    #expect(ending.code == UserError.Code.configuration.rawValue)
    #expect(ending.errorLines.count == 1 && ending.errors.contains("learning_rate"))
    // It is not tried again, and its index says the same.
    let task = try Program.run(Self.work + ["--task", "2"], in: folder)
    #expect(task.code == ending.code && task.errorLines.count == 1 && task.output == "")
    let status = try Program.run(["farm", "status", "run"], in: folder)
    #expect(status.output.contains("3 trials: 3 failed"), "\(status.output)")
    #expect(try Program.run(["farm", "missing", "run"], in: folder).output == "")
  }

  // MARK: Job files and mistakes

  @Test func `job files name the run, the trials and the workers`() throws {
    let folder = try Self.prepared()
    func script(_ options: String...) throws -> Program.Ending {
      try Program.run(["farm", "script", "run", "--engine"] + options, in: folder)
    }
    let slurm = try script("slurm", "--at-once", "4", "--threads", "2")
    #expect(slurm.lines.first == "#!/bin/bash" && slurm.code == 0)
    for word in ["--array=0-12%4", "--cpus-per-task=2", "--requeue", "scontrol requeue"] {
      #expect(slurm.output.contains(word))
    }
    let parallel = try script("parallel")
    #expect(parallel.output.contains("seq 0 12 | parallel --retries 10"))
    let kubernetes = try script("kubernetes", "--image", "r/s:1", "--claim", "data")
    for line in ["completions: 13", "parallelism: 13", "completionMode: Indexed", "r/s:1"] {
      #expect(kubernetes.output.contains(line))
    }
    let path = try RunFolder.open(path: folder.path + "/run").absolutePath
    for ending in [slurm, parallel, kubernetes] { #expect(ending.output.contains(path)) }
    for name in ["slurm", "parallel"] {
      _ = try folder.write("job.sh", Data(try script(name).output.utf8))
      let checked = try Program(["-n", "job.sh"], in: folder, executable: "/bin/bash").ending()
      #expect(checked.code == 0, "\(checked.errors)")
    }
  }

  @Test func `mistakes are answered in one line`() throws {
    let folder = try Self.prepared()
    typealias Fault = (
      arguments: [String], environment: [String: String], code: UserError.Code, word: String
    )
    let faults: [Fault] = [
      (["work", "nowhere"], [:], .noInput, "no such folder on"),
      (["status", "run/trials/candidate-1"], [:], .usage, "not prepared"),
      (["work", "run", "--task", "13"], [:], .usage, "give 0 to 12"),
      (["work", "run", "--task=-1"], [:], .usage, "give 0 to 12"),
      (["work", "run"], ["SLURM_ARRAY_TASK_ID": "two"], .usage, "SLURM_ARRAY_TASK_ID"),
      (["work", "run", "--threads", "-2"], [:], .usage, "--threads"),
      (["init", "run", "--top", "5"], [:], .usage, "options of derive"),
      (["init", "run", "--patience", "0"], [:], .usage, "--patience"),
      (["init", "run/trials/candidate-1"], [:], .usage, "one trial"),
      (["script", "run", "--engine", "kubernetes"], [:], .usage, "--image"),
      (["script", "run", "--engine", "slurm", "--image", "x"], [:], .usage, "--image"),
      (["script", "run", "--engine", "slurm", "--at-once", "0"], [:], .usage, "--at-once"),
    ]
    for fault in faults {
      let ending = try Program.run(
        ["farm"] + fault.arguments,
        in: folder,
        environment: fault.environment
      )
      #expect(ending.code == fault.code.rawValue, "\(fault.arguments): \(ending.errors)")
      #expect(ending.errorLines.count == 1, "\(ending.errors)")
      #expect(ending.errors.contains(fault.word), "\(ending.errors)")
    }
    // A machine with another version or instruction set.
    let path = folder.path + "/run/shared.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (key, word) in [("version", "supertop 0.0.9"), ("instruction_set", "SUPERTOP_ISA")] {
      var own = try #require(Program.object(text))
      own[key] = "0.0.9"
      try JSONSerialization.data(withJSONObject: own).write(to: URL(fileURLWithPath: path))
      for command in ["work", "collect"] {
        let ending = try Program.run(["farm", command, "run"], in: folder)
        #expect(ending.code == UserError.Code.unavailable.rawValue)
        #expect(ending.errorLines.count == 1 && ending.errors.contains(word), "\(ending.errors)")
      }
    }
  }
}
