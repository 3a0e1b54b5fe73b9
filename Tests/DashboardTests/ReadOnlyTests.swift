@testable import Dashboard
import Foundation
import Runs
import TestSupport
import Testing

/// A viewer that does not steer, and a trainer that does not answer.
@Suite struct ReadOnlyTests {
  private func watching(_ steering: Steering) -> Model {
    var model = Fixture.model("running", Size(120, 36))
    model.ownsTrainer = false
    var delta = RunDelta()
    delta.steering = steering
    _ = update(&model, .data(delta))
    return model
  }

  /// Every key that steers, of the kinds of runs that have it.
  private static let steering = KeyTable.bindings(.search).filter(\.command.steers)

  @Test(arguments: [
    (Steering.held(by: 123), "read-only: PID 123 steers"),
    (.held(by: 0), "read-only: another viewer steers"),
    (.refused("opened with --read-only"), "read-only: opened with --read-only"),
  ])
  func `no key asks for anything, and each says why`(steering: Steering, words: String) {
    #expect(!Self.steering.isEmpty)
    for binding in Self.steering {
      for key in binding.keys {
        var model = watching(steering)
        model.message = nil
        #expect(update(&model, .key(key)) == [], "\(binding.label)")
        #expect(model.overlay == nil, "\(binding.label)")
        guard case .notice(let text) = model.message else {
          Issue.record("\(binding.label) says nothing")
          continue
        }
        #expect(text.hasPrefix(words) && !text.contains("\n"))
      }
    }
  }

  @Test func `the header says so, at once and as long as the run goes on`() {
    var model = watching(.held(by: 123))
    #expect(view(model).text.contains("read-only"))
    #expect(view(model).text.contains("PID 123 steers"))
    _ = update(&model, .key(.character("j")))
    for size in [Size(200, 60), Size(80, 24), Size(60, 16)] {
      _ = update(&model, .resize(size))
      model.message = .notice("something else")
      #expect(view(model).text.contains("read-only"), "\(size)")
    }
    model.status?.state = .finished
    #expect(!view(model).text.contains("read-only"))
  }

  @Test func `the right to steer comes back when the holder goes`() {
    var model = watching(.held(by: 123))
    var delta = RunDelta()
    delta.steering = .granted
    _ = update(&model, .data(delta))
    #expect(model.message == .notice("this viewer steers from now on"))
    #expect(update(&model, .key(.character(" "))) == [.request(.pause)])
    #expect(!view(model).text.contains("read-only"))
  }

  @Test func `a viewer that may stop nothing is not asked whether to`() {
    var model = watching(.refused("opened with --read-only"))
    #expect(update(&model, .key(.character("q"))) == [.exit(.quit)])
    #expect(update(&model, .interrupt) == [.exit(.quit)])
    // The trainer's own dashboard still ends its own process.
    model.ownsTrainer = true
    #expect(update(&model, .key(.character("q"))) == [])
    #expect(update(&model, .key(.enter)) == [.request(.stop)])
  }

  @Test func `looking around needs no right`() {
    var model = watching(.held(by: 123))
    for key in "jkl?T".unicodeScalars { #expect(update(&model, .key(.character(key))) == []) }
    #expect(update(&model, .key(.enter)) == [])
  }

  @Test(arguments: [RunStatus.State.preparing, .running, .paused, .validating])
  func `a trainer without a beat is told of within two seconds, with the remedy`(
    state: RunStatus.State
  ) {
    var model = Fixture.model("running", Size(120, 36))
    model.ownsTrainer = false
    model.message = nil
    model.status?.state = state
    var delta = RunDelta()
    delta.trainerAlive = true
    delta.lastSign = model.now
    _ = update(&model, .data(delta))
    _ = update(&model, .tick(model.now + 1))
    #expect(model.silence == nil)
    _ = update(&model, .tick(model.now + 0.9))
    let text = view(model).text
    #expect(text.contains("NO SIGN OF LIFE 2s"))
    #expect(text.contains("kill -CONT 4242") && text.contains("supertop resume digits-1"))
    // It was only stopped for a while.
    delta.lastSign = model.now
    _ = update(&model, .data(delta))
    #expect(model.silence == nil && !view(model).text.contains("NO SIGN"))
  }

  @Test func `a long step is no silence as long as the trainer's heart beats`() {
    var model = Fixture.model("running", Size(120, 36))
    model.ownsTrainer = false
    for _ in 0..<18 {
      var delta = RunDelta()
      delta.lastSign = model.now
      _ = update(&model, .data(delta))
      _ = update(&model, .tick(model.now + 0.5))
    }
    #expect(model.silence == nil)
  }

  @Test func `a run tells its watcher of beats and of who steers`() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = try RunFolder.create(at: path, config: try Configuration.preset("digits"))
    let store = try folder.store()
    try store.setStatus(RunStatus(state: .running))
    // Without a trainer nobody claims anything, and the folder stays as it is.
    var viewer: LiveRun? = try LiveRun(folder: folder, claim: SteeringClaim(folder))
    #expect(try viewer?.poll().steering == nil)
    #expect(!FileManager.default.fileExists(atPath: path + "/steering.lock"))

    let lock = try folder.lock()
    viewer = try LiveRun(folder: folder, claim: SteeringClaim(folder))
    let first = try #require(try viewer?.poll())
    #expect(first.steering == nil)
    let sign = try #require(first.lastSign)
    #expect(sign <= Date().timeIntervalSince1970)
    let second = try LiveRun(folder: folder, claim: SteeringClaim(folder))
    #expect(try second.poll().steering == .held(by: getpid()))
    viewer = nil
    var later = RunDelta()
    let granted = try eventually {
      later = try second.poll()
      return later.steering == .granted
    }
    #expect(granted)
    let goesOn = try eventually { try second.poll().lastSign.map { $0 > sign } ?? false }
    #expect(goesOn)
    withExtendedLifetime(lock) {}
  }
}
