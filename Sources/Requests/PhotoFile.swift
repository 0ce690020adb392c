/// A photo's file, as it came.
package struct PhotoFile: Sendable, Equatable {
  /// What answers and errors call it.
  package let name: String
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
