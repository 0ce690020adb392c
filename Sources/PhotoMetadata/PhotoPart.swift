/// A part of a photo that is written anew.
public enum PhotoPart: Equatable, Sendable {
  /// Bytes of the photo as it was.
  case kept(Range<Int>)
  /// Bytes in the place of others, or between them.
  case new([UInt8])
}
