import ArgumentParser
import Export
import Foundation
import Networks
import Runs
import Tensor

/// `supertop export`: a network for other programs, and as a picture.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a network as ONNX, safetensors, JSON or a picture.",
    discussion: """
      A network is one of 'supertop models', a JSON or safetensors file, or a finished run: what a \
      search found, without weights, or what was trained. Several files may be asked for at once; \
      each is written whole or not at all. Devices and pipes are written to; - is standard output.

      ONNX has the input image [images, channels, height, width] and the output scores [images, \
      classes]. A network without trained weights gets random ones; standard error says so.
        supertop export fbnet_c --svg fbnet_c.svg
        supertop export runs/fbnet_c-1 --onnx digits.onnx --safetensors digits.safetensors
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Name, JSON or safetensors file, or run (default: the newest in runs).",
      valueName: "network|run"
    ),
    completion: .file()
  )
  var network: String?

  @Option(
    help: ArgumentHelp("ONNX, for other engines.", valueName: "file"),
    completion: .file()
  )
  var onnx: String?

  @Option(
    help: ArgumentHelp("Layers and weights, read back by supertop.", valueName: "file"),
    completion: .file()
  )
  var safetensors: String?

  @Option(
    help: ArgumentHelp("The layers, read back by supertop.", valueName: "file"),
    completion: .file()
  )
  var json: String?

  @Option(
    help: ArgumentHelp("A picture of the layers.", valueName: "file"),
    completion: .file()
  )
  var svg: String?

  @Flag(inversion: .prefixedNo, help: "Fold batch-norm into ONNX's convolutions.")
  var fold = true

  func validate() throws {
    guard [onnx, safetensors, json, svg].contains(where: { $0 != nil }) else {
      throw ValidationError(
        "export what? give --onnx FILE, --safetensors FILE, --json FILE or --svg FILE"
      )
    }
  }

  func run() throws {
    let source = try NetworkSource(NewestRun.path(network))
    if let json { try writeWhole(NetworkFile.json(source.description), to: json) }
    if let svg { try writeWhole(NetworkPicture.svg(source.description), to: svg) }
    guard onnx != nil || safetensors != nil else { return }

    let built = try source.network(engine: Engine(threads: 1), seed: 1)
    let metadata = source.weights?.metadata ?? [:]
    if let safetensors {
      try NetworkArchive.checkpoint(built, metadata: metadata).write(to: safetensors)
    }
    if let onnx {
      let data = try OnnxExport.data(built, foldsBatchNorm: fold, metadata: metadata)
      try writeWhole(to: onnx) { try data.withUnsafeBytes($0) }
    }
    if source.weights == nil {
      Output(descriptor: STDERR_FILENO).line(
        "supertop: \(source.name): has no trained weights; those written are random"
      )
    }
  }
}
