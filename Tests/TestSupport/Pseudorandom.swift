/// Numbers in [0, 1) that follow from a name, as the scripts of the fixtures make them
/// (make_networks.py).
package func pseudorandom(_ name: String, _ count: Int) -> [Float] {
  var seed: UInt32 = 2_166_136_261
  for byte in name.utf8 { seed = (seed ^ UInt32(byte)) &* 16_777_619 }
  return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
    var i = 0
    while i < count {
      var x = UInt32(truncatingIfNeeded: i) &* 2_654_435_769 &+ seed
      x = (x ^ (x >> 16)) &* 0x85EB_CA6B
      x = (x ^ (x >> 13)) &* 0xC2B2_AE35
      x ^= x >> 16
      buffer[i] = Float(x >> 8) / Float(1 << 24)
      i += 1
    }
    filled = count
  }
}
