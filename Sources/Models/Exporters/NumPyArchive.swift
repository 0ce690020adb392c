internal import Support
internal import Tensors

/// NumPy's archives of arrays, `.npz`: a zip archive of `.npy` files, not packed, as `numpy.savez` writes it.
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)
enum NumPyArchive {
  /// Writes tensors by name, single precision.
  /// - Throws: `FileError`.
  static func write(_ tensors: [(name: String, tensor: Tensor)], to path: String) throws {
    try AtomicFile.write(to: path) { file in
      var archive = ZipWriter(path: path)
      for (name, tensor) in tensors {
        try header(of: tensor.shape).withUnsafeBytes { header in
          try tensor.withUnsafeBufferPointer { scalars in
            try archive.add(name + ".npy", [header, UnsafeRawBufferPointer(scalars)], to: &file)
          }
        }
      }
      try archive.finish(&file)
    }
  }

  /// What is before the scalars: version 1.0, a length, and a Python dictionary that ends a line at a multiple of 64 bytes.
  private static func header(of shape: Shape) -> [UInt8] {
    let extents = shape.dimensions.map { "\($0)," }.joined(separator: " ")
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    let size = (10 + dictionary.utf8.count + 1 + 63) / 64 * 64 - 10
    let padding = String(repeating: " ", count: size - dictionary.utf8.count - 1)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(size & 0xFF), UInt8(size >> 8)]
      + Array((dictionary + padding + "\n").utf8)
  }
}
