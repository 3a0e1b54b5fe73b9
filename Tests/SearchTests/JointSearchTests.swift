import Foundation
import Runs
import Tensor
import Testing

@testable import Search

struct JointSearchTests {
  private let small = JointFixture(architecture: [3, 4, 3, 2, 4, 3], recipe: [3, 4, 5])

  private func search(
    _ problem: JointProblem,
    _ algorithm: JointConfiguration.Search.Algorithm = .joint,
    pool: Int = 1000,
    seed: UInt64 = 1
  ) throws -> JointSearch {
    var search = JointConfiguration.Search()
    search.algorithm = algorithm
    search.pool = pool
    var predictor = JointConfiguration.Predictor()
    predictor.pretrainingEpochs = 5
    return try JointSearch(problem, search, predictor: predictor, seed: seed)
  }

  /// Differences between two points.
  private func distance(_ a: Architecture, _ b: Architecture) -> Int {
    zip(a, b).count { $0 != $1 }
  }

  // MARK: Rounds

  @Test func `the first round is spread over the space and predicts nothing`() throws {
    let problem = small.problem(flops: 60)
    let search = try search(problem)
    let picks = try search.candidates(40, round: 0, history: [])
    #expect(picks.count == 40 && Set(picks.map(\.point)).count == 40)
    #expect(picks.allSatisfy { $0.predicted == nil && $0.spread == nil })
    #expect(picks.allSatisfy { small.flops($0.point) <= 60 })
    for axis in small.axes.indices {
      #expect(Set(picks.map { $0.point[axis] }).count == small.axes[axis].count, "axis \(axis)")
    }
    #expect(try self.search(problem, seed: 2).candidates(40, round: 0, history: []) != picks)
  }

  @Test func `later rounds are new, better, apart, and the same for the same arguments`() throws {
    let problem = small.problem(flops: 60, params: 75)
    let search = try search(problem)
    var history = try search.candidates(24, round: 0, history: [])
      .map { JointSearch.Evaluated(point: $0.point, value: small.value($0.point)) }
    let first = history.map(\.value).max() ?? 0
    let mean = history.reduce(0) { $0 + $1.value } / 24
    for round in 1...3 {
      let picks = try search.candidates(12, round: round, history: history)
      #expect(try search.candidates(12, round: round, history: history) == picks)
      #expect(picks.count == 12)
      #expect(Set(history.map(\.point)).isDisjoint(with: picks.map(\.point)))
      for (index, pick) in picks.enumerated() {
        #expect(small.flops(pick.point) <= 60 && small.params(pick.point) <= 75)
        #expect(pick.predicted != nil && (pick.spread ?? 0) > 0)
        #expect(picks[..<index].allSatisfy { distance($0.point, pick.point) >= 2 })
      }
      history += picks.map { JointSearch.Evaluated(point: $0.point, value: small.value($0.point)) }
    }
    let later = history.suffix(12).reduce(0) { $0 + $1.value } / 12
    #expect(later > mean && (history.map(\.value).max() ?? 0) > first)
  }

  @Test func `canonical twins are one candidate`() throws {
    let tiny = JointFixture(architecture: [3, 2, 2], recipe: [2])
    let problem = tiny.problem(folds: true)
    let search = try search(problem)
    // 2·2·2·2 of the 24 points are different.
    #expect(try search.candidates(30, round: 0, history: []).count == 16)
    let twin = JointSearch.Evaluated(point: [2, 1, 0, 1], value: 1)
    let history = [
      twin, .init(point: [0, 0, 0, 0], value: 2), .init(point: [0, 1, 0, 0], value: 0),
    ]
    let later = try search.candidates(30, round: 1, history: history)
    #expect(later.count == 13)
    let names = later.map { problem.canonical($0.point) }
    #expect(Set(names).count == 13 && !names.contains([1, 1, 0, 1]))
  }

  @Test func `random search picks at random in every round and has no fine stage`() throws {
    let problem = small.problem(flops: 60)
    let search = try search(problem, .random)
    let first = try search.candidates(20, round: 0, history: [])
    let history = first.map { JointSearch.Evaluated(point: $0.point, value: small.value($0.point)) }
    let second = try search.candidates(20, round: 1, history: history)
    #expect(Set((first + second).map(\.point)).count == 40)
    #expect((first + second).allSatisfy { $0.predicted == nil && small.flops($0.point) <= 60 })
    var generations = 0
    #expect(try search.fine(4, history: history) { _ in generations += 1 }.isEmpty)
    #expect(generations == 0)
  }

  // MARK: The fine stage

  @Test func `the fine stage improves until it no longer does, in a space of 10^21`() throws {
    let large = JointFixture.large
    let most = 0.5 * (large.flopsRange.lowerBound + large.flopsRange.upperBound)
    let problem = large.problem(flops: most)
    let search = try search(problem)
    let history = large.history(400).filter { large.flops($0.point) <= most }.prefix(60)
    var generations: [JointSearch.Generation] = []
    let picks = try search.fine(5, history: Array(history)) { generations.append($0) }
    #expect(generations.map(\.number) == Array(1...generations.count))
    #expect(zip(generations, generations.dropFirst()).allSatisfy { $0.best <= $1.best })
    let fine = JointConfiguration.Fine()
    #expect(generations.count > fine.patience && generations.count <= fine.generations)
    let tail = generations.suffix(fine.patience + 1)
    if generations.count < fine.generations {
      #expect((tail.last?.best ?? 0) - (tail.first?.best ?? 0) <= fine.gain * Double(fine.patience))
    }
    // It breeds: the first generations find what the pool has not.
    #expect((generations.last?.best ?? 0) > (generations.first?.best ?? 0))
    // More children while it improves, fewer when it does not.
    #expect((generations.map(\.children).max() ?? 0) > fine.parents * fine.children)
    #expect(picks.count == 5 && picks.first?.predicted == generations.last?.best)
    #expect(picks.allSatisfy { large.flops($0.point) <= most })
    let trained = history.map(\.value).max() ?? 0
    #expect(picks.allSatisfy { large.value($0.point) > trained })
    let recipes = Set(picks.map { Array($0.point.options.suffix(7)) })
    let usual = Set(history.map { Array($0.point.options.suffix(7)) })
    #expect(!recipes.isSubset(of: usual), "recipes are bred too")
    struct Stopped: Error {}
    #expect(throws: Stopped.self) {
      try search.fine(5, history: Array(history)) { _ in throw Stopped() }
    }
  }

  /// The time that it takes stands in Documentation/joint.md: this bounds the work.
  @Test func `a new constraint is answered by the defaults with a bounded number of predictions`()
    throws
  {
    let large = JointFixture.large
    let range = large.flopsRange
    let most = range.lowerBound + 0.4 * (range.upperBound - range.lowerBound)
    let search = try JointSearch(
      large.problem(flops: most),
      .init(),
      predictor: .init(),
      seed: 1
    )
    var children: [Int] = []
    let picks = try search.fine(4, history: large.history(100)) { children.append($0.children) }
    #expect(picks.count == 4 && picks.allSatisfy { large.flops($0.point) <= most })
    #expect(children.count < JointConfiguration.Fine().generations, "it ends before the limit")
    #expect(children.reduce(0, +) < 50_000, "\(children)")
  }

  // MARK: Constraints

  @Test func `every answer keeps all constraints, or the nearest that can be kept is named`() throws
  {
    let large = JointFixture.large
    var random = Philox(seed: 6, purpose: .test)
    let (flops, params) = (large.flopsRange, large.paramsRange)
    var answers = 0
    var refusals = 0
    for trial in 0..<12 {
      func limit(_ range: ClosedRange<Double>) -> Double {
        // From a little below the cheapest to half of the range.
        let share = -0.02 + 0.5 * Double(random.uniform()) * Double(random.uniform())
        return range.lowerBound + share * (range.upperBound - range.lowerBound)
      }
      let limits = (limit(flops), trial % 2 == 0 ? limit(params) : nil)
      let problem = large.problem(flops: limits.0, params: limits.1)
      do {
        let search = try search(problem, pool: 50, seed: UInt64(trial))
        var history: [JointSearch.Evaluated] = []
        for round in 0..<2 {
          let picks = try search.candidates(8, round: round, history: history)
          #expect(!picks.isEmpty)
          for pick in picks {
            #expect(large.flops(pick.point) <= limits.0 * (1 + 1e-9))
            #expect(large.params(pick.point) <= (limits.1 ?? .infinity) * (1 + 1e-9))
          }
          history += picks.map { .init(point: $0.point, value: large.value($0.point)) }
        }
        answers += 1
      } catch let error as UserError {
        refusals += 1
        #expect(error.code == .configuration)
        let isAlone = limits.0 < flops.lowerBound || (limits.1 ?? .infinity) < params.lowerBound
        #expect(error.problem.contains(isAlone ? "no candidate is so cheap" : "all at once"))
        if limits.0 < flops.lowerBound {
          #expect(error.remedy.contains("flops"))
        }
      }
    }
    #expect(answers > 2 && refusals > 1, "\(answers) answers, \(refusals) refusals")
  }

  @Test func `the value that a refusal names can be kept`() throws {
    let range = small.flopsRange
    let error = #expect(throws: UserError.self) {
      try search(small.problem(flops: range.lowerBound - 1))
    }
    let remedy = try #require(error?.remedy)
    let named = try #require(
      remedy.split { " :".contains($0) }.compactMap { Double($0) }.first
    )
    #expect(named == range.lowerBound, "\(remedy)")
    let picks = try search(small.problem(flops: named)).candidates(3, round: 0, history: [])
    #expect(picks.count == 3)
    #expect(picks.allSatisfy { $0.point.options.prefix(6).allSatisfy { $0 == 0 } })
  }

  @Test func `points of a table are all there is`() throws {
    let points = small.history(200).map(\.point)
    let rows = Array(Set(points))
    let plain = small.problem(flops: 60)
    let problem = JointProblem(
      axes: plain.axes,
      metrics: plain.metrics,
      constraints: plain.constraints,
      costs: plain.costs,
      points: rows
    )
    let search = try search(problem)
    let allowed = Set(rows.filter { small.flops($0) <= 60 })
    let first = try search.candidates(allowed.count + 9, round: 0, history: [])
    #expect(Set(first.map(\.point)) == allowed && first.count == allowed.count)
    let history = first.prefix(30).map {
      JointSearch.Evaluated(point: $0.point, value: small.value($0.point))
    }
    let left = allowed.subtracting(history.map(\.point))
    let later = try search.candidates(left.count, round: 1, history: history)
    #expect(Set(later.map(\.point)) == left)
    #expect(try search.fine(3, history: history) { _ in }.allSatisfy { left.contains($0.point) })
  }
}
