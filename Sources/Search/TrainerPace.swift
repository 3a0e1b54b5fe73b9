import Foundation
import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How fast training goes, and so when it will end; pauses never enter it.
struct Pace {
  private var secondsPerStep: [Phase: Double] = [:]
  private var secondsPerValidation: Double?
  /// Smoothed images a second, 0 until the second step (the first one warms caches and says little).
  private(set) var imagesPerSecond = 0.0
  private var steps = 0

  /// Takes in a step of `images` images that took `seconds`.
  mutating func step(_ phase: Phase, seconds: Double, images: Int) {
    steps += 1
    guard steps > 1, seconds > 0 else { return }
    // The process was stopped by Ctrl-Z, or the machine slept: says nothing of the pace.
    if let usual = secondsPerStep[phase], seconds > 20 * usual + 1 { return }
    secondsPerStep[phase] = smoothed(secondsPerStep[phase], seconds)
    let rate = Double(images) / seconds
    imagesPerSecond = imagesPerSecond == 0 ? rate : smoothed(imagesPerSecond, rate)
  }

  /// Takes in the `seconds` of the evaluation at the end of an epoch.
  mutating func validation(seconds: Double) {
    secondsPerValidation = smoothed(secondsPerValidation, seconds)
  }

  /// Seconds that the given work still takes; nil until a step of weights was timed.
  ///
  /// A θ step not yet timed counts as a step of weights, a validation not yet timed as nothing.
  func remaining(weights: Int, theta: Int, validations: Int) -> Double? {
    guard let weight = secondsPerStep[.weights] ?? secondsPerStep[.theta] else { return nil }
    return Double(weights) * weight + Double(theta) * (secondsPerStep[.theta] ?? weight)
      + Double(validations) * (secondsPerValidation ?? 0)
  }

  private func smoothed(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return old + 0.1 * (new - old)
  }
}

/// Resident memory of this process in bytes, 0 where the system does not tell.
func residentMemory() -> Int {
  #if os(Linux)
    // statm counts pages: total, resident, shared, …
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    let count = fread(&text, 1, text.count - 1, file)
    let fields = String(decoding: text[..<count].map(UInt8.init), as: UTF8.self).split(
      separator: " "
    )
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  #else
    var info = mach_task_basic_info()
    var count = mach_msg_type_number_t(
      MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size
    )
    let status = withUnsafeMutablePointer(to: &info) { pointer in
      pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
        task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
      }
    }
    return status == KERN_SUCCESS ? Int(info.resident_size) : 0
  #endif
}

extension TrainingSession {
  /// Brings the status up to date; its state and message are the caller's.
  func updateStatus() {
    if status.state != .validating { status.progress = 0 }
    if status.state == .running || status.state == .paused { status.message = "" }
    status.epoch = min(epoch, plan.epochs - 1)
    status.epochs = plan.epochs
    status.step = step
    status.totalSteps = plan.totalSteps
    status.stepInEpoch = epoch < plan.epochs ? position : plan.steps(in: plan.epochs - 1)
    status.stepsPerEpoch = plan.steps(in: status.epoch)
    status.phase = plan.phase(at: position)
    status.temperature = temperature
    status.temperatureHeld = steering.heldTemperature != nil
    status.imagesPerSecond = pace.imagesPerSecond
    let left = plan.remaining(epoch: epoch, position: position)
    status.etaSeconds = pace.remaining(
      weights: left.weights,
      theta: left.theta,
      validations: max(0, plan.epochs - epoch)
    )
    status.memoryBytes = residentMemory()
    status.processIdentifier = ProcessInfo.processInfo.processIdentifier
    status.heartbeat = Date().timeIntervalSince1970
  }
}
