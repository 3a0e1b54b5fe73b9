import Foundation
import Runs
import SwiftProtobuf

/// A run's figures as an event file of TensorBoard, in a folder of the run's own.
///
/// A record is the length of its data, 64 bits, a checksum of that, the data, an `Event`, and a
/// checksum of the data; all numbers are little-endian. What starts anew goes to a new file; when
/// that has all there is, the files before are emptied.
final class EventFile {
  /// What the names of this run's files end in.
  private let mark: String
  private let folder: String
  private var file: GrowingFile?
  /// Event files of before, until the present one has as much.
  private var old: [String]

  /// Looks at the folder, which it makes if it is missing.
  ///
  /// `.cannotCreate` where the folder has event files of another run, `.busy` where another process
  /// is writing this one's.
  init(folder: String, of run: RunFolder) throws {
    let mark = ".supertop-" + SHA256.hex(run.absolutePath.utf8).prefix(12)
    (self.folder, self.mark) = (folder, mark)
    try makeOutputFolder(folder)
    let found = (names(in: folder) ?? []).filter { $0.contains("tfevents") }
    if let foreign = found.first(where: { !$0.hasSuffix(mark) }) {
      throw UserError(
        .cannotCreate,
        folder,
        "holds events of another run, \(foreign)",
        remedy: "name another folder, or remove what is in it"
      )
    }
    old = found.map { folder + "/" + $0 }
    if let taken = old.first(where: GrowingFile.isGrowing) {
      throw UserError(
        .busy,
        taken,
        "another supertop figures is writing it",
        remedy: "end that one, or name another folder"
      )
    }
  }

  deinit {
    if let file, !old.isEmpty { removeAll(file.path) }
  }

  /// Adds what is new; `.io` where there is no room, and then nothing that was there is lost.
  func add(_ news: RunFigures.News) throws {
    var events: [Tensorboard_Event] = []
    if let begun = news.startsAnew {
      if let file { old.append(file.path) }
      file = try GrowingFile(creating: newPath())
      // A TensorBoard that has read the files before forgets what they told.
      events = [
        .with { $0.fileVersion = "brain.Event:2" }, .with { $0.sessionLog.status = .start },
        try Self.hyperparameters(news.settings, begun),
      ]
    }
    events += news.figures.map(Self.event)
    try file?.append(try events.reduce(into: Data()) { $0 += try Self.record($1) })
    guard !news.hasMore else { return }
    old.forEach(GrowingFile.empty)
    old = []
  }

  /// TensorBoard reads a folder's files in the order of their names.
  private func newPath() -> String {
    var seconds = Int(Date().timeIntervalSince1970)
    while true {
      let path = "\(folder)/events.out.tfevents.\(seconds).\(Machine.name).\(getpid())\(mark)"
      guard let last = old.max(), last >= path else { return path }
      seconds += 1
    }
  }

  /// A record around an event.
  static func record(_ event: Tensorboard_Event) throws -> Data {
    func bytes<T: FixedWidthInteger>(_ number: T) -> Data {
      withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }
    let data: Data = try event.serializedBytes()
    let length = bytes(UInt64(data.count))
    return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
  }

  private static func event(_ figure: Figure) -> Tensorboard_Event {
    var value = Tensorboard_Summary.Value()
    value.tag = figure.series
    switch figure.value {
    case .scalar(let number):
      value.simpleValue = Float(number)
    case .shares(let shares):
      // Rows of left and right end and content of a bucket; option i is the bucket from i to i + 1.
      let cells = shares.enumerated().flatMap { [Double($0.offset), Double($0.offset + 1), $0.1] }
      value.tensor = tensor(.dtDouble, shape: [shares.count, 3])
      value.tensor.tensorContent = cells.map { $0.bitPattern.littleEndian }
        .withUnsafeBytes { Data($0) }
      value.metadata = metadata("histograms")
      value.metadata.summaryDescription =
        "A bucket for each option, as `architecture/options` lists them"
    case .text(let markdown):
      value.tensor = tensor(.dtString, shape: [])
      value.tensor.stringVal = [Data(markdown.utf8)]
      value.metadata = metadata("text")
    }
    return event(value, step: figure.step, time: figure.time)
  }

  private static func event(
    _ value: Tensorboard_Summary.Value,
    step: Int,
    time: Double
  ) -> Tensorboard_Event {
    var event = Tensorboard_Event()
    event.wallTime = time
    event.step = Int64(step)
    event.summary.value = [value]
    return event
  }

  private static func tensor(
    _ type: Tensorboard_DataType,
    shape: [Int]
  ) -> Tensorboard_TensorProto {
    var tensor = Tensorboard_TensorProto()
    tensor.dtype = type
    tensor.tensorShape.dim = shape.map { size in
      .with { $0.size = Int64(size) }
    }
    return tensor
  }

  private static func metadata(_ plugin: String) -> Tensorboard_SummaryMetadata {
    var metadata = Tensorboard_SummaryMetadata()
    metadata.pluginData.pluginName = plugin
    metadata.dataClass = .tensor
    return metadata
  }

  /// The settings of the run, for the page HParams.
  private static func hyperparameters(
    _ settings: RunSettings,
    _ begun: Double
  ) throws -> Tensorboard_Event {
    var data = Tensorboard_HParamsPluginData()
    data.sessionStartInfo.startTimeSecs = begun
    for setting in settings.values() {
      data.sessionStartInfo.hparams[setting.key] =
        .with { value in
          if let number = Double(setting.text), number.isFinite {
            value.numberValue = number
          } else {
            value.stringValue = setting.text
          }
        }
    }
    var value = Tensorboard_Summary.Value()
    value.tag = "_hparams_/session_start_info"
    value.metadata = metadata("hparams")
    value.metadata.pluginData.content = try data.serializedBytes()
    // What has no value is not read.
    value.tensor = tensor(.dtDouble, shape: [0])
    return event(value, step: 0, time: begun)
  }
}
