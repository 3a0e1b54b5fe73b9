import Foundation
import Runs
import TestSupport
import Testing

/// Ranks on two hosts, which are network namespaces of this machine, over TCP (spec S103).
@Suite(.serialized) struct HostsTests {
  /// Two hosts joined by a cable.
  private final class Hosts {
    /// Of the second host; the first ends with 1.
    let address: String
    private let name: String
    private let folder: Program.Folder

    init(_ folder: Program.Folder) throws {
      self.folder = folder
      name = "st\(getpid() % 10_000)"
      let net = "10.77.\(getpid() % 250)"
      address = "\(net).2"
      // What stands for ssh: a shell on the host of an address.
      let agent = """
        #!/usr/bin/env bash
        while [[ $1 == -* ]]; do shift; done
        host=$1; shift
        case $host in \(net).1) ns=\(name)a ;; \(address)) ns=\(name)b ;; *) exit 255 ;; esac
        cd
        exec ip netns exec $ns unshare --uts bash -c "hostname $ns; $*"
        """
      let path = try folder.write("agent", Data(agent.utf8))
      chmod(path, 0o755)
      try folder.shell(
        """
        set -e
        ip netns add \(name)a; ip netns add \(name)b
        ip link add \(name)c netns \(name)a type veth peer name \(name)d netns \(name)b
        ip -n \(name)a addr add \(net).1/24 dev \(name)c
        ip -n \(name)b addr add \(address)/24 dev \(name)d
        ip -n \(name)a link set lo up; ip -n \(name)a link set \(name)c up
        ip -n \(name)b link set lo up; ip -n \(name)b link set \(name)d up
        """
      )
    }

    deinit { try? folder.shell("ip netns del \(name)a; ip netns del \(name)b") }

    /// Pulls the cable, or plugs it in again.
    func cable(_ isPlugged: Bool) throws {
      try folder.shell("ip -n \(name)b link set \(name)d \(isPlugged ? "up" : "down")")
    }

    /// Starts the program on both hosts.
    func start(_ words: [String], _ environment: [String: String] = [:]) throws -> Program {
      let net = address.dropLast(2)
      let mca = [
        ("plm_rsh_agent", folder.path + "/agent"), ("btl", "self,tcp"), ("pml", "ob1"),
        ("btl_tcp_if_include", "\(net).0/24"), ("oob_tcp_if_include", "\(net).0/24"),
        ("oob_tcp_keepalive_time", "4"), ("oob_tcp_keepalive_intvl", "2"),
        ("oob_tcp_keepalive_probes", "2"),
      ]
      return try Program(
        [
          "ip", "netns", "exec", "\(name)a", "unshare", "--uts", "bash", "-c",
          "hostname \(name)a; exec \"$@\"", "-", "mpirun.openmpi",
        ] + mca.flatMap { ["--mca", $0.0, $0.1] }
          + environment.keys.sorted().flatMap { ["-x", $0] }
          + ["--host", "\(net).1:1,\(address):1", "--bind-to", "none", "-n", "2", Program.path]
          + words,
        in: folder,
        environment: RanksTests.environment.merging(environment) { $1 },
        executable: "/usr/bin/env"
      )
    }
  }

  /// Whether this process may make hosts.
  private static let canMakeHosts: Bool = {
    guard geteuid() == 0, RanksTests.launchers.contains("mpirun.openmpi"),
      let folder = try? Program.Folder()
    else { return false }
    let name = "st\(getpid() % 10_000)t"
    let text = """
      ip netns add \(name) || exit 1
      ip -n \(name) link add \(name)c type veth peer name \(name)d && unshare --uts true
      code=$?
      ip netns del \(name)
      exit $code
      """
    return (try? Program(["-c", text], in: folder, executable: "/bin/bash").ending().code) == 0
  }()

  @Test(.enabled(if: canMakeHosts, "Open MPI or the right to make network namespaces is missing"))
  func `two hosts give the bits of one process`() throws {
    let folder = try Program.Folder()
    let hosts = try Hosts(folder)
    try RanksTests.expectSame(try hosts.start(RanksTests.search).ending(), 2)
  }

  @Test(.enabled(if: canMakeHosts, "Open MPI or the right to make network namespaces is missing"))
  func `a cable that is pulled ends the job in bounded time`() throws {
    let folder = try Program.Folder()
    let hosts = try Hosts(folder)
    let words = RanksTests.search.map { $0 == "12" ? "4000" : $0 }
    let job = try hosts.start(words, ["SUPERTOP_MPI_TIMEOUT": "60"])
    #expect(eventually { job.output.contains("\"step\":30,") || !job.process.isRunning })
    try hosts.cable(false)
    let ending = job.ending()
    try hosts.cable(true)
    #expect(ending.code != 0 && ending.errors.contains("supertop resume"), "\(ending.errors)")
    let run = try RunFolder.open(path: folder.path + "/run")
    #expect(try run.latestCheckpoint() != nil)
  }
}
