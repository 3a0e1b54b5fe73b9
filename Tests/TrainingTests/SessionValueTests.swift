import Foundation
import Runs
import Testing

@testable import Training

/// The trainer's plain values: the plan of steps, what people may steer, the pace.
struct SessionValueTests {
  private let plan = TrainingPlan(epochs: 5, warmupEpochs: 2, weightSteps: 7, thetaSteps: 3)

  @Test func `epochs follow one another without a gap`() {
    #expect((0..<5).map { plan.steps(in: $0) } == [7, 7, 10, 10, 10])
    for epoch in 0..<4 {
      #expect(plan.start(of: epoch) + plan.steps(in: epoch) == plan.start(of: epoch + 1))
    }
    #expect(plan.totalSteps == 44)
  }

  @Test func `theta follows the weights within an epoch`() {
    #expect(
      (0..<10).map { plan.phase(at: $0) } == Array(repeating: .weights, count: 7)
        + Array(repeating: .theta, count: 3)
    )
  }

  @Test func `what remains shrinks by one step at a time to nothing`() {
    var expected = (weights: 35, theta: 9)
    for epoch in 0..<5 {
      for position in 0..<plan.steps(in: epoch) {
        #expect(plan.remaining(epoch: epoch, position: position) == expected)
        if plan.phase(at: position) == .weights {
          expected.weights -= 1
        } else {
          expected.theta -= 1
        }
      }
    }
    #expect(expected == (0, 0))
    #expect(plan.remaining(epoch: 5, position: 0) == (0, 0))
  }

  @Test func `the learning rate falls along a cosine`() {
    #expect(plan.learningRate(peak: 0.2, epoch: 0, position: 0) == 0.2)
    let rates = (0..<5).flatMap { epoch in
      (0..<7).map { plan.learningRate(peak: 0.2, epoch: epoch, position: $0) }
    }
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
    // 17.5 of 35 steps would be half the peak.
    #expect(rates[17] > 0.1 && rates[18] < 0.1)
    #expect(rates[34] > 0 && rates[34] < 0.001)
  }

  @Test func `single steps are counted and then it pauses again`() {
    var steering = Steering()
    #expect(steering.mayStep)
    for _ in 0..<2 { #expect(steering.apply(.singleStep, .init(scheduled: 5)) == nil) }
    #expect(steering.isPaused && steering.mayStep)
    steering.didStep()
    #expect(steering.mayStep)
    steering.didStep()
    #expect(!steering.mayStep)
    #expect(steering.apply(.resume, .init(scheduled: 5)) == nil)
    #expect(steering.mayStep && !steering.isPaused)
  }

  @Test func `scaling and holding start from the schedule and then from the hand`() {
    var steering = Steering()
    #expect(steering.apply(.scaleTemperature(2), .init(scheduled: 3)) == nil)
    #expect(steering.heldTemperature == 6)
    #expect(steering.apply(.scaleTemperature(0.5), .init(scheduled: 1)) == nil)
    #expect(steering.heldTemperature == 3)
    #expect(steering.apply(.holdTemperature, .init(scheduled: 1)) == nil)
    #expect(steering.heldTemperature == 3)
    #expect(steering.apply(.releaseTemperature, .init(scheduled: 1)) == nil)
    #expect(steering.heldTemperature == nil)
    #expect(steering.apply(.holdTemperature, .init(scheduled: 1)) == nil)
    #expect(steering.heldTemperature == 1)
  }

  @Test(arguments: [0, -1, .nan, .infinity, 1e9])
  func `a temperature without sense is refused and changes nothing`(value: Double) {
    var steering = Steering()
    steering.restore(Course(temperature: 4), earlier: [])
    #expect(steering.apply(.setTemperature(value), .init(scheduled: 2)) != nil)
    #expect(steering.heldTemperature == 4)
    #expect(steering.apply(.scaleTemperature(value), .init(scheduled: 2)) != nil)
  }

  @Test func `pins and bans leave each choice an option, and undo takes them back`() {
    var steering = Steering()
    let now = Steering.Situation(counts: [3, 2])
    #expect(steering.apply(.banOption(choice: 0, option: 1), now) == nil)
    #expect(steering.apply(.banOption(choice: 0, option: 1), now) != nil)
    #expect(steering.apply(.pinChoice(choice: 0, option: 1), now) != nil)
    #expect(steering.apply(.pinChoice(choice: 1, option: 0), now) == nil)
    #expect(steering.apply(.banOption(choice: 1, option: 0), now) != nil)
    #expect(steering.course.barred([3, 2]) == [[false, true, false], [false, true]])
    #expect(steering.apply(.banOption(choice: 0, option: 0), now) == nil)
    #expect(steering.apply(.banOption(choice: 0, option: 2), now) != nil)
    for place in [(2, 0), (0, 3), (-1, 0)] {
      #expect(steering.apply(.pinChoice(choice: place.0, option: place.1), now) != nil)
      #expect(steering.apply(.banOption(choice: place.0, option: place.1), now) != nil)
    }
    // Refused ones are not undone.
    #expect(steering.apply(.undo, now) == nil)
    #expect(steering.course.bans == [Course.Place(choice: 0, option: 1)])
    #expect(steering.apply(.undo, now) == nil && steering.course.pins.isEmpty)
    #expect(steering.apply(.undo, now) == nil && steering.course == Course())
    #expect(steering.apply(.undo, now) != nil)
  }

  @Test func `a run to an epoch pauses at its end`() {
    var steering = Steering()
    #expect(steering.apply(.runToEpoch(2), .init(epoch: 2)) != nil)
    #expect(steering.apply(.pause, .init()) == nil)
    #expect(steering.apply(.runToEpoch(3), .init(epoch: 1)) == nil && steering.mayStep)
    steering.didEnd(epochs: 2)
    #expect(steering.mayStep)
    steering.didEnd(epochs: 3)
    #expect(!steering.mayStep)
    #expect(steering.apply(.resume, .init()) == nil)
    steering.didEnd(epochs: 4)
    #expect(steering.mayStep)
  }

  @Test func `a course that the task refuses is not taken`() {
    var steering = Steering()
    let refusing = Steering.Situation(refusal: { $0.budget == nil ? nil : "too small" })
    #expect(steering.apply(.setBudget(1), refusing) == "too small")
    #expect(steering.course == Course() && steering.apply(.setRate(.theta, 2), refusing) == nil)
    #expect(steering.course.rate(.theta) == 2 && steering.course.rate(.weights) == 1)
  }

  @Test func `the pace ignores the first step and gaps`() {
    var pace = Pace()
    #expect(pace.remaining(weights: 10, theta: 0, validations: 0) == nil)
    pace.step(.weights, seconds: 9, images: 10)
    #expect(pace.imagesPerSecond == 0)
    pace.step(.weights, seconds: 0.5, images: 10)
    #expect(pace.imagesPerSecond == 20)
    pace.step(.weights, seconds: 3600, images: 10)
    #expect(pace.imagesPerSecond == 20)
    #expect(pace.remaining(weights: 10, theta: 4, validations: 3) == 7)
    pace.validation(seconds: 2)
    pace.step(.theta, seconds: 1, images: 10)
    #expect(pace.remaining(weights: 10, theta: 4, validations: 3) == 15)
  }

  @Test func `this process takes memory`() {
    #expect(residentMemory() > 1_000_000)
  }

  @Test func `a place in a run survives the checkpoint's texts`() throws {
    let place = TrainingPlace(
      epoch: 3,
      position: 4,
      step: 55,
      heldTemperature: 0.1 + 0.2,
      lastTemperature: 1 / 3,
      lastIntervention: 7
    )
    #expect(try TrainingPlace(metadata: try place.metadata()) == place)
    #expect(throws: UserError.self) { try TrainingPlace(metadata: [:]) }
  }
}
