internal import Foundation
internal import Glibc
public import Language
internal import Tensors

/// An image and the captions people wrote for it.
public struct CaptionedImage: Sendable, Equatable {
  /// The image's number in its dataset.
  public let id: Int
  /// Its file, relative to the folder of images; never leaves that folder.
  public let fileName: String
  /// Its captions, none empty; there may be none at all.
  public internal(set) var captions: [String]

  init(id: Int, fileName: String, captions: [String] = []) {
    (self.id, self.fileName, self.captions) = (id, fileName, captions)
  }
}

/// Captioned images in the order of their file.
public struct CaptionDataset: Sendable, Equatable {
  /// The images; no id comes twice.
  public let images: [CaptionedImage]
  /// What is odd about the file but can be lived with: one line each, for people.
  public let warnings: [String]

  init(images: [CaptionedImage], warnings: [String]) { (self.images, self.warnings) = (images, warnings) }

  /// The number of captions of all images.
  public var captionCount: Int { images.reduce(0) { $0 + $1.captions.count } }

  /// The file names of the images that are not in `folder`, in order.
  /// - Throws: `DatasetError.file` when `folder` is no folder that can be searched.
  public func missingFiles(in folder: String) throws(DatasetError) -> [String] {
    var status = stat()
    guard stat(folder, &status) == 0 else {
      throw .file(FileError(path: folder, action: "open", errno: errno))
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .file(FileError(path: folder, action: "open", reason: "not a folder"))
    }
    return images.map(\.fileName).filter { access(folder + "/" + $0, F_OK) != 0 }
  }

  /// All captions as words, image after image.
  public func tokenized(by tokenizer: Tokenizer = Tokenizer()) -> TokenizedCaptions {
    var captions: [[String]] = []
    var imageIndexes: [Int] = []
    captions.reserveCapacity(captionCount)
    imageIndexes.reserveCapacity(captionCount)
    for (index, image) in images.enumerated() {
      for caption in image.captions {
        captions.append(tokenizer.tokens(caption))
        imageIndexes.append(index)
      }
    }
    return TokenizedCaptions(captions: captions, imageIndexes: imageIndexes)
  }
}

/// The captions of a dataset as words, each with the index of its image.
public struct TokenizedCaptions: Sendable, Equatable {
  /// The words of each caption; a caption of nothing but punctuation has none.
  public let captions: [[String]]
  /// The index in `CaptionDataset.images` of each caption's image.
  public let imageIndexes: [Int]

  /// The word ids of each caption, without start or end.
  public func encoded(by vocabulary: Vocabulary) -> [[Int32]] { captions.map(vocabulary.encode) }
}
