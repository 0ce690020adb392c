internal import Decoding
internal import Imaging
internal import Language
internal import Models
internal import Requests

/// What is asked about a photo.
enum PhotoQuestion: Sendable, Equatable {
  /// Its captions.
  /// - Parameters:
  ///   - stream: names its random numbers beside the seed, where captions are drawn.
  ///   - explains: whether it is to be found out where the model looks for the words of the best one.
  case captions(DecodingStrategy, stream: UInt64, explains: Bool)
  /// How likely given captions are, in word ids without start and end.
  case scores([[Int32]], runnersUp: Int)

  /// Whether it takes many times as long as others.
  var explains: Bool {
    if case .captions(_, _, explains: true) = self { true } else { false }
  }
}

/// What was found out about a photo.
struct PhotoAnswer: Sendable {
  let captions: [Caption]
  var explanation: Explanation?
}

/// A photo that is worked on, for a task that waits for the answer.
struct PhotoWork: Sendable {
  let file: PhotoFile
  let question: PhotoQuestion
  let model: ServedModel
  let ticket: Ticket<Result<PhotoAnswer, ImageError>>
}

/// The same, decoded.
struct DecodedPhoto: Sendable {
  let image: RGBImage
  let work: PhotoWork
}
