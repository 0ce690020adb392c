public import Support

/// What can be wrong with a dataset's files; each case names the file, and where in it.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// A file or folder can't be read or written.
  case file(FileError)
  /// The file is no JSON.
  case malformed(path: String, reason: String)
  /// A value of the JSON is not what it has to be; `location` is for instance `annotations[3].image_id`.
  case unexpected(path: String, location: String, expected: String, found: String)
  /// A key is missing; `location` is its place.
  case missing(path: String, location: String)
  /// Two images or two results have one id.
  case duplicate(path: String, location: String, id: ImageID)
  /// An annotation's image is not among the images.
  case unknownImage(path: String, location: String, id: ImageID)
  /// An image's file name would leave the folder of images.
  case unsafeFileName(path: String, location: String, name: String)

  /// The file holds captions in no form that is known.
  case unrecognised(path: String, found: String)
  /// The file has no image of the split; `found` are those it has, with their sizes.
  case noSplit(path: String, split: String, found: [String])
  /// The file to train on has no image of the split to validate on, and no other file does.
  case noValidationSplit(path: String, split: String, found: [String])
  /// Several caption files need a folder of images each, or one for all.
  case folders(captions: Int, folders: Int)

  /// One line for people.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .malformed(let path, let reason): "\(path): not valid JSON: \(reason)"
    case .unexpected(let path, let location, let expected, let found):
      "\(path): \(location): expected \(expected), found \(found)"
    case .missing(let path, let location): "\(path): \(location) is missing"
    case .duplicate(let path, let location, let id): "\(path): \(location): id \(id) comes twice"
    case .unknownImage(let path, let location, let id): "\(path): \(location): no image has id \(id)"
    case .unsafeFileName(let path, let location, let name):
      "\(path): \(location): expected a file in the folder of images, found \(name.debugDescription)"
    case .unrecognised(let path, let found):
      "\(path): expected captions (\(CaptionFormats.names)), found \(found)"
    case .noSplit(let path, let split, let found):
      "\(path): expected images of split \(split), found "
        + (found.isEmpty ? "images without splits" : found.joined(separator: ", "))
    case .noValidationSplit(let path, let split, let found):
      "\(DatasetError.noSplit(path: path, split: split, found: found)): --validation-share 0.1 keeps a tenth of the "
        + "images to validate on, --validation-captions names another file"
    case .folders(let captions, let folders):
      "\(captions) caption files: expected \(captions == 1 ? "" : "1 or ")\(captions) folders of images, found \(folders)"
    }
  }

  /// The same with a place before its own: the line of a file whose lines are JSON.
  func after(_ place: String) -> DatasetError {
    switch self {
    case .malformed(let path, let reason): .malformed(path: path, reason: "\(place): \(reason)")
    case .unexpected(let path, let location, let expected, let found):
      .unexpected(path: path, location: "\(place): \(location)", expected: expected, found: found)
    case .missing(let path, let location): .missing(path: path, location: "\(place): \(location)")
    default: self
    }
  }

  /// The line for people without the path that it begins with.
  func within(_ path: String) -> String {
    let text = description
    return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
  }
}
