internal import Support
internal import Tensors

extension NamedTensors {
  /// An array as NumPy's `save` writes it, without a name.
  init(numPy file: MappedFile) throws(WeightFileError) {
    var reader = ByteReader(file)
    let array = try NumPyArray(&reader)
    let numbers = try array.numbers(file, reader.place..<file.bytes.count)
    self.init(
      path: file.path, format: .numPy,
      entries: [
        Entry(name: "array", shape: numbers.shape, typeName: array.type.description) { numbers.read() }
      ])
  }

  /// Arrays by name as NumPy's `savez` and `savez_compressed` write them: a zip archive of a file for each. What is packed
  /// is unpacked when it is asked for.
  init(numPyArchive path: String, size: Int) throws(WeightFileError) {
    let archive: ZipArchive
    do { archive = try ZipArchive(path: path) } catch { throw .file(error) }
    // Weights hardly become smaller: what says otherwise of itself is not believed.
    let limit = max(1 << 24, 40 * min(size, 1 << 40))
    var entries: [Entry] = []
    var texts: [String: [String]] = [:]
    for file in archive.orderedNames where file.hasSuffix(".npy") {
      let start: [UInt8]
      do { start = try archive.start(of: file, count: NumPyArray.longestHead + 12) } catch {
        throw .file(error)
      }
      if let list = NumPyTexts(head: start) {
        texts[String(file.dropLast(4))] = try Self.texts(list, of: file, in: archive, limit: limit)
        continue
      }
      let array = try Self.head(start, "\(path)/\(file)")
      let shape: Shape
      do { shape = try StridedNumbers.shape(array.extents) } catch {
        throw .malformed(
          path: "\(path)/\(file)", place: "header", expected: error.expected, found: error.found)
      }
      let bytes = (archive.size(of: file) ?? 0) - array.length
      guard bytes >= 0, shape.count <= bytes / array.scalar.size else {
        throw .malformed(
          path: "\(path)/\(file)", place: "header",
          expected: "\(shape.count) numbers of \(array.scalar.size) bytes",
          found: "\(max(bytes, 0)) bytes")
      }
      entries.append(
        Entry(name: String(file.dropLast(4)), shape: shape, typeName: array.type.description) {
          () throws(WeightFileError) in
          do {
            let (part, range) = try archive.part(file, limit: limit)
            return try array.numbers(part, range.lowerBound + array.length..<range.upperBound).read()
          } catch let error as FileError {
            throw .file(error)
          } catch let error as WeightFileError {
            throw error
          } catch {
            throw .file(FileError(path: path, action: "read", reason: "\(error)"))
          }
        })
    }
    self.init(path: path, format: .numPy, entries: entries, texts: texts)
  }

  /// The texts of an array.
  private static func texts(
    _ list: NumPyTexts, of file: String, in archive: ZipArchive, limit: Int
  ) throws(WeightFileError) -> [String] {
    let path = "\(archive.path)/\(file)"
    do {
      let (part, range) = try archive.part(file, limit: limit)
      let bytes = UnsafeRawBufferPointer(rebasing: part.bytes[range].dropFirst(list.length))
      if let texts = withExtendedLifetime(part, { list.read(bytes) }) { return texts }
      throw WeightFileError.malformed(
        path: path, place: "header", expected: "\(list.count) texts of \(list.size) bytes",
        found: "\(bytes.count) bytes")
    } catch let error as WeightFileError {
      throw error
    } catch {
      throw .file(error as? FileError ?? FileError(path: path, action: "read", reason: "\(error)"))
    }
  }

  private static func head(_ bytes: [UInt8], _ path: String) throws(WeightFileError) -> NumPyArray {
    let file: MappedFile
    do {
      file = try MappedFile(path: path, count: bytes.count) { $0.copyBytes(from: bytes) }
    } catch {
      throw .file(error as? FileError ?? FileError(path: path, action: "read", reason: "\(error)"))
    }
    var reader = ByteReader(file)
    return try NumPyArray(&reader)
  }
}
