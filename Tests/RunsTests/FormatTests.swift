import Runs
import Testing

struct FormatTests {
  @Test func `a count has its noun in the right number`() {
    #expect(Format.counted(0, "epoch") == "0 epochs")
    #expect(Format.counted(1, "epoch") == "1 epoch")
    #expect(Format.counted(1437, "training image") == "1437 training images")
    #expect(Format.counted(1, "class") == "1 class" && Format.counted(2, "class") == "2 classes")
    #expect(Format.counted(1, "entry") == "1 entry" && Format.counted(3, "entry") == "3 entries")
    #expect(Format.counted(-1, "point") == "-1 points")
  }

  @Test func `a count that is not whole is a plural`() {
    #expect(Format.counted(1.0, "epoch") == "1 epoch")
    #expect(Format.counted(2.5, "epoch") == "2.5 epochs")
    #expect(Format.counted(0.5, "epoch") == "0.5 epochs")
  }

  @Test func `digits are fixed, signed or led by zeros`() {
    #expect(Format.fixed(2.345, 1) == "2.3" && Format.fixed(-0.06, 1) == "-0.1")
    #expect(Format.fixed(-1e-7, 2) == "0.00" && Format.fixed(-0.0, 0) == "0")
    #expect(Format.fixed(-.infinity, 1) == "-inf")
    #expect(Format.signedFixed(0.5, 4) == "+0.5000" && Format.signedFixed(-2, 1) == "-2.0")
    #expect(Format.padded(7, 2) == "07" && Format.padded(123, 2) == "123")
    #expect(Format.duration(3725) == "1h02m" && Format.duration(90_061) == "1d01h")
  }
}
