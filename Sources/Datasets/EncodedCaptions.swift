/// Captions as word ids, one after the other in a single list.
public struct EncodedCaptions: Sendable, Equatable, RandomAccessCollection {
  /// The ids of all captions.
  public private(set) var ids: [Int32] = []
  /// Where in `ids` each caption ends.
  private(set) var ends: [Int] = []

  /// No captions.
  public init() {}

  init(ids: [Int32], ends: [Int]) { (self.ids, self.ends) = (ids, ends) }

  /// The place of the first caption: 0.
  public var startIndex: Int { 0 }
  /// The number of captions.
  public var endIndex: Int { ends.count }
  /// The ids of caption `index`.
  public subscript(index: Int) -> ArraySlice<Int32> { ids[start(of: index)..<ends[index]] }
  /// The number of words of caption `index`.
  public func length(of index: Int) -> Int { ends[index] - start(of: index) }

  private func start(of index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

  /// Adds a caption.
  public mutating func append(_ caption: some Sequence<Int32>) {
    ids.append(contentsOf: caption)
    ends.append(ids.count)
  }

  mutating func append(contentsOf other: EncodedCaptions, renumbering: (Int32) -> Int32) {
    let offset = ids.count
    ids.append(contentsOf: other.ids.lazy.map(renumbering))
    ends.append(contentsOf: other.ends.lazy.map { $0 + offset })
  }
}
