internal import Foundation
internal import Hummingbird
internal import Imaging
internal import Language
internal import Models
internal import Requests
internal import Support

/// The service's own interface, and what the others have of it.
struct CaptionRoutes: Sendable {
  let engine: CaptionEngine
  let bodies: BodyReader
  let options: ServiceOptions

  /// A photo's result, as `captioner caption --format json` prints it.
  private struct PhotoResult: Encodable {
    let image: String
    var captions: [Caption]?
    var explanation: ExplanationResult?
    var error: String?
  }

  private struct ExplanationResult: Encodable {
    let kind: String
    let rows, columns: Int
    let weights: [[Float]]
    /// What the network sees of the photo, unless it is all of it.
    let crop: Crop?
  }

  /// The photo is resized until its shorter side is `shortSide`, then the middle is cut out.
  private struct Crop: Encodable {
    let shortSide, width, height: Int

    enum CodingKeys: String, CodingKey {
      case width, height
      case shortSide = "short_side"
    }

    init?(_ preprocessing: Preprocessing) {
      guard case .shortSideThenCenterCrop(let side) = preprocessing.resize else { return nil }
      shortSide = side
      width = preprocessing.width
      height = preprocessing.height
    }
  }

  private struct Results: Encodable {
    let model: String
    let results: [PhotoResult]
  }

  /// `POST /v1/captions`
  func captions(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await bodies.with(request, context.channel) { body in
      let submission = try Submission(
        body, contentType: request.headers[.contentType], query: request.uri.query, images: "images",
        limit: options.maximumImages)
      try submission.fields.check(CaptionFields.names)
      let model = engine.model
      let wanted = try CaptionFields(submission.fields, model.description.vocabulary)
      guard !wanted.explains || submission.photos.count == 1 else {
        throw Problem.bad("explain: expected one image, found \(submission.photos.count)")
      }
      let answers = try await engine.answers(submission.photos, of: model) {
        .captions(wanted.strategy, stream: UInt64($0), explains: wanted.explains)
      }
      return try results(submission.photos, answers, model)
    }
  }

  /// `POST /v1/scores`
  func scores(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await bodies.with(request, context.channel) { body in
      let submission = try Submission(
        body, contentType: request.headers[.contentType], query: request.uri.query, images: "image", limit: 1)
      let model = engine.model
      let wanted = try ScoreFields(submission.fields, model.description.vocabulary)
      let answers = try await engine.answers(submission.photos, of: model) { _ in
        .scores(wanted.words, runnersUp: wanted.runnersUp)
      }
      return try results(submission.photos, answers, model)
    }
  }

  /// Results in the order of the photos. One that can't be read costs itself alone, unless there is no other.
  private func results(
    _ photos: [PhotoFile], _ answers: [Result<PhotoAnswer, ImageError>], _ model: ServedModel
  ) throws -> Response {
    let results = zip(photos, answers).map { photo, answer in
      switch answer {
      case .success(let answer):
        PhotoResult(
          image: photo.name, captions: answer.captions,
          explanation: answer.explanation.map {
            ExplanationResult(
              kind: $0.kind.rawValue, rows: $0.rows, columns: $0.columns, weights: $0.weights,
              crop: Crop(model.description.preprocessing))
          })
      case .failure(let error): PhotoResult(image: photo.name, error: error.description)
      }
    }
    if results.allSatisfy({ $0.captions == nil }), case .failure(let error)? = answers.first {
      throw Problem(error)
    }
    let text = try canonicalJSON(Results(model: model.name, results: results), .nonFinite)
    return Response(text: text.printableJSON, type: "application/json")
  }

  /// The best captions of images, for clients of other services: any that can't be read is an error.
  /// - Parameters:
  ///   - captions: of each image; more than one follow the likeliest.
  ///   - beginning: how they begin, if the model can say so.
  func captions(_ photos: [PhotoFile], captions: Int = 1, beginning: String? = nil) async throws -> (
    model: ServedModel, captions: [[Caption]]
  ) {
    guard photos.count <= options.maximumImages else {
      throw Problem(
        .contentTooLarge, "expected at most \(options.maximumImages) images a request, found \(photos.count)")
    }
    let model = engine.model
    var fields = Fields()
    fields.add("captions", .integer(captions))
    fields.add("beam_width", .integer(max(3, captions)))
    var wanted = try CaptionFields(fields, model.description.vocabulary)
    if let beginning {
      fields.add("prefix", .string(beginning))
      wanted = (try? CaptionFields(fields, model.description.vocabulary)) ?? wanted
    }
    let answers = try await engine.answers(photos, of: model) { [wanted] in
      .captions(wanted.strategy, stream: UInt64($0), explains: false)
    }
    return (
      model,
      try answers.map { answer in
        switch answer {
        case .success(let answer): answer.captions
        case .failure(let error): throw Problem(error)
        }
      }
    )
  }
}

extension [[Caption]] {
  /// The best of each image, a line each.
  var text: String { compactMap(\.first?.text).joined(separator: "\n") }
}
