import Testing

@testable import Data

/// Unpacking in memory of what the program carries.
struct InflateTests {
  @Test func `the digits' table comes out whole`() {
    let lines = Digits.table.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == 1797)
    #expect(lines.allSatisfy { $0.split(separator: UInt8(ascii: ",")).count == 65 })
  }

  @Test func `a stream that is cut or damaged gives nothing`() {
    let whole = PackageResources.digits_csv_gz
    #expect(inflated(Array(whole.dropLast(9)), most: 1 << 20) == nil)
    var damaged = whole
    damaged[whole.count / 2] ^= 0x10
    #expect(inflated(damaged, most: 1 << 20) == nil)
    #expect(inflated([], most: 16) == nil)
  }

  @Test func `more than may be gives nothing`() {
    #expect(inflated(PackageResources.digits_csv_gz, most: Digits.table.count)?.count != nil)
    #expect(inflated(PackageResources.digits_csv_gz, most: Digits.table.count - 1) == nil)
  }
}
