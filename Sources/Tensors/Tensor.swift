public import Support

/// A dense row-major array of 32-bit floats with value semantics (copied on write).
public struct Tensor: Sendable {
  /// The extents, outermost first.
  public let shape: Shape
  private var storage: Storage
  private var offset: Int

  /// All zeros.
  public init(zeros shape: Shape) { self.init(repeating: 0, shape) }

  /// One value everywhere.
  public init(repeating value: Float, _ shape: Shape) {
    self.init(uninitialized: shape)
    storage.base.update(repeating: value, count: shape.count)
  }

  /// The scalars in row-major order; their number must be the shape's.
  public init(_ scalars: [Float], _ shape: Shape) {
    precondition(scalars.count == shape.count, "\(scalars.count) scalars for shape \(shape)")
    self.init(uninitialized: shape)
    scalars.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { storage.base.update(from: base, count: source.count) }
    }
  }

  /// Memory that the caller overwrites before reading it.
  public init(uninitialized shape: Shape) {
    self.shape = shape
    storage = Storage(count: shape.count)
    offset = 0
  }

  /// Floats lying in a mapped file: zero-copy. The caller has checked alignment and range.
  init(shape: Shape, file: MappedFile, byteOffset: Int) {
    self.shape = shape
    storage = Storage(file: file, byteOffset: byteOffset, count: shape.count)
    offset = 0
  }

  /// Floats of a mapped file where they lie, in this machine's order of bytes.
  /// - Parameter byteOffset: of the first; nil is returned where they are not aligned.
  public init?(mapping shape: Shape, of file: MappedFile, from byteOffset: Int) {
    let size = shape.count * 4
    precondition(byteOffset >= 0 && byteOffset <= file.bytes.count && size <= file.bytes.count - byteOffset)
    guard size > 0, let base = file.bytes.baseAddress, UInt(bitPattern: base + byteOffset) % 4 == 0 else {
      return nil
    }
    self.init(shape: shape, file: file, byteOffset: byteOffset)
  }

  /// A tensor of a file whose scalars are converted when they are first wanted; until then `stored` may do instead.
  public init(deferring stored: StoredTensor) {
    shape = stored.shape
    storage = Storage(stored)
    offset = 0
  }

  /// What the scalars are in a file, where their conversion was deferred and they have not been written since.
  public var stored: StoredTensor? { storage.stored.flatMap { $0.shape == shape ? $0 : nil } }

  /// The number of scalars.
  public var count: Int { shape.count }

  /// The scalars in row-major order, copied.
  public var scalars: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The scalar at a row-major position.
  public subscript(position: Int) -> Float {
    get {
      precondition(position >= 0 && position < count)
      return pointer[position]
    }
    set {
      precondition(position >= 0 && position < count)
      mutablePointer()[position] = newValue
    }
  }

  /// The same scalars under another shape.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) can't become \(shape)")
    return Tensor(shape: shape, sharing: self)
  }

  /// Row `index` of the outermost dimension, sharing memory.
  public func row(_ index: Int) -> Tensor {
    precondition(shape.rank > 0 && index >= 0 && index < shape[0])
    let inner = Shape(Array(shape.dimensions.dropFirst()))
    return Tensor(shape: inner, sharing: self, advancedBy: index * inner.count)
  }

  private init(shape: Shape, sharing other: Tensor, advancedBy distance: Int = 0) {
    self.shape = shape
    storage = other.storage
    offset = other.offset + distance
  }

  /// The first scalar, for kernels; valid while this tensor lives and is not mutated.
  public var pointer: UnsafePointer<Float> { UnsafePointer(storage.base + offset) }

  /// The first scalar, for kernels that write; valid while this tensor lives and is not copied or replaced.
  /// Makes this tensor the sole owner of its memory first.
  public mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
    if storage.isReadOnly || !isKnownUniquelyReferenced(&storage) {
      let fresh = Storage(count: count)
      fresh.base.update(from: storage.base + offset, count: count)
      storage = fresh
      offset = 0
    }
    return storage.base + offset
  }

  /// Calls `body` with the scalars.
  public func withUnsafeBufferPointer<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.base + offset, count: count))
    }
  }

  /// Calls `body` with the scalars for writing.
  public mutating func withUnsafeMutableBufferPointer<R>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    let base = mutablePointer()
    let count = count
    return try withExtendedLifetime(storage) {
      try body(UnsafeMutableBufferPointer(start: base, count: count))
    }
  }
}

extension Tensor: Equatable {
  /// Same shape and same scalars, bit for bit but for NaN.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.shape == b.shape else { return false }
    return a.withUnsafeBufferPointer { x in b.withUnsafeBufferPointer { y in x.elementsEqual(y) } }
  }
}
