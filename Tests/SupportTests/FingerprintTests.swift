import Support
import Testing

@Suite struct FingerprintTests {
  /// The values that the authors' page lists: http://www.isthe.com/chongo/tech/comp/fnv/
  @Test(arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
  func agreesWithItsAuthors(text: String, expected: String) {
    var fingerprint = Fingerprint()
    fingerprint.add(bytes: text.utf8)
    #expect(fingerprint.text == expected)
  }

  /// Words that differ in their upper bytes alone, as bytes read eight at a time may: added plainly they meet nowhere
  /// but there.
  @Test func foldingSpreadsTheUpperBits() {
    func value(_ upper: UInt64) -> UInt64 {
      var fingerprint = Fingerprint()
      fingerprint.addFolded(upper << 56)
      fingerprint.addFolded(0)
      return fingerprint.value
    }
    #expect(value(1) & 0xFFFF_FFFF != value(2) & 0xFFFF_FFFF)
  }
}
