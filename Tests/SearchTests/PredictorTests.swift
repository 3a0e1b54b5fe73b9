import Foundation
import Runs
import Tensor
import TestSupport
import Testing

@testable import Search

struct PredictorTests {
  private static let needsTables = Comment(rawValue: "needs the shared data: set SUPERTOP_SHARED")
  private let fixture = JointFixture(architecture: [3, 4, 3, 2, 4, 3], recipe: [3, 4, 5])

  private func settings(
    _ change: (inout JointConfiguration.Predictor) -> Void = { _ in }
  ) -> JointConfiguration.Predictor {
    var settings = JointConfiguration.Predictor()
    change(&settings)
    return settings
  }

  private func pool(_ count: Int) -> JointConfiguration.Search {
    var search = JointConfiguration.Search()
    search.pool = count
    return search
  }

  /// A search with a small pool, for its predictor.
  private func search(
    _ problem: JointProblem,
    _ settings: JointConfiguration.Predictor,
    pool count: Int = 1000,
    seed: UInt64 = 1
  ) throws -> JointSearch {
    try JointSearch(problem, pool(count), predictor: settings, seed: seed)
  }

  /// Rank correlation of what is predicted from some results with 400 others.
  private func agreement(
    _ settings: JointConfiguration.Predictor,
    labels: Int = 60,
    of fixture: JointFixture? = nil
  ) throws -> (kendall: Double, error: Double, deviation: Double) {
    let fixture = fixture ?? self.fixture
    let problem = fixture.problem()
    let others = fixture.history(400, seed: 8)
    let predicted = try search(problem, settings)
      .predictor(history: fixture.history(labels))
      .predict(others.map(\.point), costs: others.map { problem.costs($0.point) })
    let values = others.map(\.value)
    let squares = zip(predicted, values).reduce(0) { $0 + pow($1.0.value - $1.1, 2) }
    return (
      RankCorrelation.kendall(predicted.map(\.value), values),
      (squares / Double(values.count)).squareRoot(),
      ValueScale(values).deviation
    )
  }

  @Test(arguments: JointConfiguration.Predictor.Loss.allCases)
  func `it ranks points that it does not know, in the unit of the history`(
    loss: JointConfiguration.Predictor.Loss
  ) throws {
    for encoding in JointConfiguration.Predictor.Encoding.allCases {
      let found = try agreement(
        settings {
          $0.loss = loss
          $0.encoding = encoding
        }
      )
      // An order of options says nothing here, so one number for each is a poor encoding.
      let least = encoding == .oneHot ? 0.6 : 0.25
      #expect(found.kendall > least, "\(loss), \(encoding): \(found)")
      #expect(found.error < found.deviation, "\(loss), \(encoding): \(found)")
    }
  }

  @Test func `pretraining on costs helps where accuracy goes with them`() throws {
    let costly = JointFixture(architecture: [3, 4, 3, 2, 4, 3, 4, 3, 4], recipe: [3], weight: 20)
    let pretrained = try agreement(settings(), labels: 24, of: costly)
    let scratch = try agreement(settings { $0.pretraining = false }, labels: 24, of: costly)
    #expect(pretrained.kendall > scratch.kendall + 0.05, "\(pretrained), \(scratch)")
  }

  @Test func `the mistakes are as large as the spreads say`() throws {
    let problem = fixture.problem()
    var ratios: [Double] = []
    for seed in 0..<3 {
      let predictors = try PredictorCheck.Predictors(
        problem,
        settings: settings { $0.pretrainingEpochs = 5 },
        search: pool(1000),
        seed: UInt64(seed)
      )
      let check = try predictors.check(
        fixture.history(80, seed: UInt64(10 + seed)),
        on: fixture.history(300, seed: UInt64(20 + seed))
      )
      ratios.append(check.pretrained.mistake)
      #expect(check.pretrained.kendall > 0.5 && check.labels == 80)
    }
    #expect(ratios.allSatisfy { $0 > 0.5 && $0 < 1.6 }, "\(ratios)")
  }

  @Test func `the same arguments give the same bits`() throws {
    let problem = fixture.problem()
    let history = fixture.history(30)
    let points = fixture.history(50, seed: 9).map(\.point)
    func predicted(seed: UInt64) throws -> [Predictor.Prediction] {
      try search(problem, settings { $0.pretrainingEpochs = 3 }, seed: seed)
        .predictor(history: history).predict(points, costs: points.map(problem.costs))
    }
    #expect(try predicted(seed: 1) == predicted(seed: 1))
    #expect(try predicted(seed: 1) != predicted(seed: 2))
  }

  @Test func `a history of nothing, of one, of equal values and with a failure is no fault`() throws
  {
    let problem = fixture.problem()
    let search = try search(problem, settings { $0.pretrainingEpochs = 2 }, pool: 300)
    let points = fixture.history(20, seed: 9).map(\.point)
    let costs = points.map(problem.costs)
    var broken = fixture.history(12)
    broken[3].value = .nan
    broken[4].value = -.infinity
    let equal = fixture.history(12).map { JointSearch.Evaluated(point: $0.point, value: 0.5) }
    for history in [[], fixture.history(1), equal, broken] {
      let predicted = try search.predictor(history: history).predict(points, costs: costs)
      #expect(predicted.allSatisfy { $0.value.isFinite && $0.spread.isFinite && $0.spread > 0 })
    }
  }

  @Test func `spaces of recipes alone and of single options are predicted`() throws {
    let recipes = JointFixture(architecture: [1, 1], recipe: [4, 5, 6])
    let problem = recipes.problem()
    let history = recipes.history(40)
    let points = recipes.history(100, seed: 7)
    let predicted = try search(problem, settings { $0.costs = true }, pool: 200)
      .predictor(history: history)
      .predict(points.map(\.point), costs: points.map { problem.costs($0.point) })
    #expect(RankCorrelation.kendall(predicted.map(\.value), points.map(\.value)) > 0.6)
  }

  @Test(arguments: [PredictorLoss.huber(delta: 0.7), .ranking])
  func `the gradients of the losses are those of their formulas`(loss: PredictorLoss) {
    let predicted: [Float] = [0.3, -1.2, 2.5, 0.1]
    let targets: [Float] = [0.1, 0.9, -0.4, 0.1]
    func value(_ predicted: [Float]) -> Double {
      var sum = 0.0
      for i in targets.indices {
        switch loss {
        case .huber(let delta):
          let (r, d) = (abs(Double(predicted[i] - targets[i])), Double(delta))
          sum += (r <= d ? r * r / 2 : d * (r - d / 2)) / 4
        case .ranking:
          // Five pairs of different targets.
          for j in targets.indices where targets[i] > targets[j] {
            sum += Foundation.log(1 + exp(-Double(predicted[i] - predicted[j]))) / 5
          }
        }
      }
      return sum
    }
    let gradient = loss.gradient(predicted, targets: targets)
    for i in predicted.indices {
      var (up, down) = (predicted, predicted)
      up[i] += 1e-2
      down[i] -= 1e-2
      let slope = (value(up) - value(down)) / Double(up[i] - down[i])
      #expect(abs(slope - Double(gradient[i])) < 1e-4, "\(i): \(slope), \(gradient[i])")
    }
  }

  @Test func `too few results are refused by name`() throws {
    let predictors = try PredictorCheck.Predictors(
      fixture.problem(),
      settings: settings { $0.pretrainingEpochs = 1 },
      search: pool(300),
      seed: 1
    )
    let error = #expect(throws: UserError.self) {
      try predictors.crossValidated(fixture.history(3))
    }
    #expect(error?.problem.contains("3 trained candidates") == true)
    let check = try predictors.crossValidated(fixture.history(40), folds: 4)
    #expect(check.labels == 40 && check.pretrained.kendall > 0.3)
  }

  @Test(.enabled(if: sharedFolder != nil, needsTables))
  func `it ranks real networks from 48 results`() throws {
    let table = try ResultTable(path: (sharedFolder ?? "") + "/data/tables/accel_nasbench.csv.gz")
    #expect(table.architectures.count == 5125 && table.sizes.count == 28)
    let search = try TableSearch(table, limit: nil, settings: .sampling)
    let checks = try (0..<2).map {
      try search.checks([48], predictor: settings(), most: 1000, seed: UInt64($0))[0]
    }
    let pretrained = checks.reduce(0) { $0 + $1.pretrained.kendall } / 2
    let scratch = checks.reduce(0) { $0 + $1.scratch.kendall } / 2
    #expect(pretrained >= 0.7 && pretrained >= scratch + 0.15, "\(pretrained), \(scratch)")
  }
}
