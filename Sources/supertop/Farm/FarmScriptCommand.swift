import ArgumentParser
import Runs

/// `supertop farm script RUN`: a job file for a scheduler.
struct FarmScriptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "script",
    abstract: "Print a job file that trains the trials of a prepared run.",
    discussion: """
        supertop farm script runs/v3 --engine slurm > job.sh && sbatch job.sh
        supertop farm script runs/v3 --engine kubernetes --image IMAGE | kubectl apply -f -
        supertop farm script runs/v3 --engine parallel > job.sh && bash job.sh hosts
      """
  )

  /// What starts the workers.
  enum Engine: String, ExpressibleByArgument, CaseIterable { case slurm, kubernetes, parallel }

  @OptionGroup var place: FarmPlace

  @Option(help: ArgumentHelp("slurm, kubernetes or parallel.", valueName: "name"))
  var engine: Engine

  @Option(help: ArgumentHelp("Most workers at once (default: all).", valueName: "n"))
  var atOnce: Int?

  @Option(help: ArgumentHelp("Threads of each worker.", valueName: "n"))
  var threads = 1

  @Option(
    help: ArgumentHelp("Container image that has supertop, for kubernetes.", valueName: "name")
  )
  var image: String?

  @Option(
    help: ArgumentHelp(
      "Persistent volume claim that holds the run and the data, for kubernetes.",
      valueName: "name"
    )
  )
  var claim: String?

  func validate() throws {
    guard atOnce ?? 1 > 0 else { throw ValidationError("--at-once \(atOnce ?? 0): give 1 or more") }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads): give 1 to 1024")
    }
    guard engine == .kubernetes || (image == nil && claim == nil) else {
      throw ValidationError("--image and --claim are for --engine kubernetes")
    }
  }

  func run() throws {
    let farm = try place.farm()
    switch engine {
    case .slurm: Output().text(slurm(farm))
    case .kubernetes:
      guard let image, let claim else {
        throw UserError(
          .usage,
          "--engine kubernetes",
          "needs an image that has supertop and a claim of a volume that all nodes share",
          remedy: "give --image NAME --claim NAME"
        )
      }
      Output().text(try kubernetes(farm, image: image, claim: claim))
    case .parallel: Output().text(parallel(farm))
    }
  }

  private func slurm(_ farm: Farm) -> String {
    let run = ShellWord.quoted(farm.folder.absolutePath)
    return """
      #!/bin/bash
      #SBATCH --job-name=supertop-\(name(farm))
      #SBATCH --array=0-\(farm.count - 1)\(atOnce.map { "%\($0)" } ?? "")
      #SBATCH --cpus-per-task=\(threads) --output=supertop-%A-%a.log
      #SBATCH --requeue --open-mode=append --signal=B:TERM@120
      # A worker that is killed, or whose time is up, is queued again and goes on where it was.
      supertop farm work \(run) --threads "$SLURM_CPUS_PER_TASK" & job=$!
      trap 'kill -TERM $job' TERM
      wait $job; code=$?
      # A signal ends the first wait; the second one has the worker's own code.
      if [ $code -ge 128 ]; then wait $job; code=$?; fi
      if [ $code -ge 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
        scontrol requeue "$SLURM_JOB_ID"
      fi
      exit $code

      """
  }

  private func kubernetes(_ farm: Farm, image: String, claim: String) throws -> String {
    try """
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: supertop-\(name(farm))
    spec:
      completionMode: Indexed
      completions: \(farm.count)
      parallelism: \(min(atOnce ?? farm.count, farm.count))
      backoffLimitPerIndex: 100
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 120
          containers:
          - name: worker
            image: \(yaml(image))
            command:
            - supertop
            - farm
            - work
            - \(yaml(farm.folder.absolutePath))
            - --threads=\(threads)
            resources:
              requests: {cpu: \(threads)}
              limits: {cpu: \(threads)}
            volumeMounts:
            - {name: runs, mountPath: \(yaml(Path.folder(farm.folder.absolutePath)))}
          volumes:
          - name: runs
            persistentVolumeClaim: {claimName: \(yaml(claim))}

    """
  }

  private func parallel(_ farm: Farm) -> String {
    let path = farm.folder.absolutePath
    // Once for the shell here, once for that of the host.
    let run = ShellWord.quoted(ShellWord.quoted(path))
    return """
      #!/bin/bash
      # GNU parallel over ssh; the hosts are lines of a file, such as 4/user@machine.
      hosts=${1:?name a file of hosts}
      seq 0 \(farm.count - 1) | parallel \(options) --sshloginfile "$hosts" \\
        --joblog \(ShellWord.quoted(path + "/parallel.log")) \\
        supertop farm work \(run) --threads \(threads) --task {}

      """
  }

  /// Options of GNU parallel.
  private var options: String { (atOnce.map { "--jobs \($0) " } ?? "") + "--retries 10" }

  /// A text as a scalar of YAML, which takes every string of JSON.
  private func yaml(_ text: String) throws -> String { try JSONText.encode(text) }

  /// The run's name as one of a job.
  private func name(_ farm: Farm) -> String {
    let letters = farm.folder.name.lowercased().map {
      $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
    }
    return String(letters.prefix(40))
  }
}
