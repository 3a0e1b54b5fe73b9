/// A filter in ONNX's layout, [D, C/g, K, K], of which batch-norm can be made a part.
struct OnnxFilter {
  let groups: Int
  let kernel: Int
  /// Channels out.
  let output: Int
  /// Channels in of a group.
  let input: Int
  private(set) var values: [Float]

  var shape: [Int] { [output, input, kernel, kernel] }

  /// Turns one of the program's layouts around: [C, D], [g, C/g, D/g], [K, K, C, D], [g, K, K, C/g,
  /// D/g], or [K, K, C] of a depthwise convolution.
  init(_ values: [Float], shape: [Int], isDepthwise: Bool) {
    let isGrouped = !isDepthwise && (shape.count == 3 || shape.count == 5)
    kernel =
      switch shape.count {
      case 2: 1
      case 3: isDepthwise ? shape[0] : 1
      default: shape[shape.count - 3]
      }
    groups = isDepthwise ? shape[2] : isGrouped ? shape[0] : 1
    input = isDepthwise ? 1 : shape[shape.count - 2]
    let width = isDepthwise ? 1 : shape[shape.count - 1]
    output = groups * width
    let places = kernel * kernel
    var turned = [Float](repeating: 0, count: values.count)
    for channel in 0..<output {
      let (group, column) = (channel / width, channel % width)
      for place in 0..<places {
        for c in 0..<input {
          let source =
            isDepthwise
            ? place * groups + channel
            : ((group * places + place) * input + c) * width + column
          turned[(channel * input + c) * places + place] = values[source]
        }
      }
    }
    self.values = turned
  }

  /// Multiplies every output channel by its factor.
  mutating func scale(by factors: [Double]) {
    let count = values.count / output
    for channel in 0..<output {
      for i in channel * count..<(channel + 1) * count {
        values[i] = Float(Double(values[i]) * factors[channel])
      }
    }
  }
}
