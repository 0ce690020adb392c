import Foundation
import Language

@testable import Requests

#if canImport(TestSupport)
  import TestSupport
#endif

/// Readers of what clients of the service send.
extension ForeignReader {
  private static let photo = PictureFiles.blackPNG(width: 9, height: 5)
  private static let base64 = Data(photo).base64EncodedString()
  private static let url = "data:image/png;base64," + base64

  /// Forms: a line with the request's Content-Type, then the body.
  static let multipart = ForeignReader(
    name: "multipart",
    words: [
      "\r\n", "\r\n\r\n", "--b", "--", "\r\n--b\r\n", "Content-Disposition: form-data; name=", "; filename=",
      "Content-Type: image/png", "multipart/form-data; boundary=", "\"", "\\\"", ";", "=",
    ],
    seeds: {
      let image =
        "Content-Disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png"
      let field = "Content-Disposition: form-data; name=captions\r\n\r\n3"
      let forms = [
        "multipart/form-data; boundary=b\n--b\r\n\(image)\r\n\r\n\u{89}PNG\r\n--b\r\n\(field)\r\n--b--\r\n",
        "multipart/form-data; boundary=\"b c\"\nbefore\r\n--b c  \r\n\(field)\r\n--b c\r\n\(image)\r\n\r\n\r\n--b c--after",
      ]
      return forms.map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let (type, body) = parted(bytes)
      let found = outcome { try MultipartForm(body, contentType: type).parts }
      guard let parts = found.value else { return try short(found.error) }
      var end = 0
      for part in parts {
        guard part.content.startIndex >= end, part.content.endIndex <= body.count else {
          throw Wrong("parts that overlap")
        }
        end = part.content.endIndex
      }
      // Written by somebody else they are the same.
      guard let boundary = HeaderValue(type).parameters["boundary"] else { throw Wrong("no boundary") }
      var written: [UInt8] = []
      for part in parts {
        var headers = "--\(boundary)\r\nContent-Disposition: form-data; name=\(quoted(part.name))"
        if let name = part.fileName { headers += "; filename=\(quoted(name))" }
        if let type = part.contentType { headers += "\r\nContent-Type: \(quoted(type))" }
        written += Array((headers + "\r\n\r\n").utf8) + part.content + Array("\r\n".utf8)
      }
      written += Array("--\(boundary)--".utf8)
      let again = try MultipartForm(written, contentType: "multipart/form-data; boundary=\(quoted(boundary))")
      guard again.parts.map(summary) == parts.map(summary) else {
        throw Wrong("expected \(parts.map(summary)), found \(again.parts.map(summary))")
      }
    })

  /// JSON of any shape.
  static let json = ForeignReader(
    name: "json",
    words: [
      "{", "}", "[", "]", "\"", ":", ",", "null", "true", "-1", "1e308", "1e-400", "9223372036854775808",
      "0.1", "\\ud83d\\ude00", "\\u0000", "\\\"", "\u{FEFF}",
    ],
    seeds: {
      [
        #"{"a": [1, -2.5, 1e300, "x\"],", true, null], "é\u0041": {"c": "\ud83d\ude00"}}"#,
        #"[[[[9223372036854775807, 0.1, false]]], ""]"#,
      ].map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let found = outcome { try JSON(Array(bytes)) }
      guard let json = found.value else { return try short(found.error) }
      guard values(json) <= JSON.maximumValues, levels(json) <= JSON.maximumDepth else {
        throw Wrong("\(values(json)) values, \(levels(json)) levels")
      }
      let again = try JSON(Array(try json.text.utf8))
      guard again == json else { throw Wrong("expected \(json), found \(again)") }
    })

  /// Queries, and the options of captions and scores in them.
  static let queries = ForeignReader(
    name: "queries", longest: 1024,
    words: CaptionFields.names.sorted().map { $0 + "=" } + [
      "runner_ups=", "&", "=", "+", "%20", "%", "true", "wu", "average", "a+dog", "snow", "0.5", "1e9", "nan",
      "-1",
    ],
    seeds: {
      [
        "beam_width=5&captions=2&max_length=9&min_length=2&length_normalization=wu&length_penalty=0.5"
          + "&prefix=the%20dog&force=runs&force=snow&forbid=cat&no_repeat_ngram=3&explain=true",
        "sample=1&captions=100&temperature=0.5&top_k=4&top_p=0.9&seed=7",
        "captions=a+dog+runs&captions=the%20cat&runner_ups=3",
      ].map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let vocabulary = try Vocabulary(words: TinyNetwork.words)
      let fields = outcome { () throws(Problem) -> Fields in
        var fields = Fields()
        try fields.add(query: String(decoding: bytes, as: UTF8.self))
        return fields
      }
      guard let fields = fields.value else { return try short(fields.error) }
      let options = outcome { () throws(Problem) -> CaptionFields in
        try fields.check(CaptionFields.names)
        return try CaptionFields(fields, vocabulary)
      }
      let scores = outcome { try ScoreFields(fields, vocabulary) }
      // Every byte in percents is the same.
      var again = Fields()
      try again.add(
        query: fields.written.map { "\(inPercents($0))=\(inPercents($1))" }.joined(separator: "&"))
      if let options = options.value {
        guard try CaptionFields(again, vocabulary) == options else { throw Wrong("other options") }
        switch options.strategy {
        case .beam(let beam):
          guard (1...beam.beamWidth).contains(beam.captions), beam.minimumLength <= beam.maximumLength,
            CaptionFields.beamWidths.contains(beam.beamWidth)
          else { throw Wrong("\(beam)") }
        case .sample(let sampling):
          guard CaptionFields.drawn.contains(sampling.captions),
            sampling.minimumLength <= sampling.maximumLength
          else { throw Wrong("\(sampling)") }
        }
      } else {
        try short(options.error)
      }
      if let scores = scores.value {
        guard try ScoreFields(again, vocabulary) == scores else { throw Wrong("other captions") }
        guard scores.words.joined().allSatisfy({ (0..<Int32(vocabulary.count)).contains($0) }) else {
          throw Wrong("no word")
        }
      } else {
        try short(scores.error)
      }
    })

  /// Requests of the service's own interface: a line with the Content-Type, then the body.
  static let submissions = ForeignReader(
    name: "submissions",
    words: [
      "application/json\n", "multipart/form-data; boundary=b\n", "image/png\n", "\"images\": [",
      "\"captions\": ",
      "data:image/png;base64,", ";base64,", "data:", "=", "\\n", "null", "--b\r\n", "\r\n\r\n",
      "Content-Disposition: form-data; name=image; filename=a",
    ],
    seeds: {
      [
        "application/json\n{\"images\": [\"\(base64)\", \"\(url)\"], \"captions\": 3, \"force\": [\"dog\"]}",
        "application/json; charset=utf-8\n{\"images\": \"\(base64)\"}",
        "multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nx\r\n--b--",
        "image/png\n\u{89}PNG", "\nGIF89a",
      ].map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let (type, body) = parted(bytes)
      let limit = 3
      let found = outcome {
        try Submission(
          body, contentType: type.isEmpty ? nil : type, query: nil, images: "images", limit: limit)
      }
      guard let submission = found.value else { return try short(found.error) }
      guard (1...limit).contains(submission.photos.count) else {
        throw Wrong("\(submission.photos.count) photos")
      }
      try check(submission.photos, body)
      let images = submission.photos.map { JSON.string(Data($0.bytes).base64EncodedString()) }
      // Photos without a byte may come in a form, and are refused as they are decoded.
      guard submission.photos.allSatisfy({ !$0.bytes.isEmpty }) else { return }
      let again = try Submission(
        Array(try JSON.object(["images": .list(images)]).text.utf8), contentType: "application/json",
        query: nil,
        images: "images", limit: limit)
      guard again.photos.map(\.bytes) == submission.photos.map(\.bytes) else { throw Wrong("other photos") }
    })

  /// What clients of Ollama, OpenAI and Hugging Face send: each is read as all of them.
  static let questions = ForeignReader(
    name: "questions",
    words: [
      "\"model\": ", "\"images\": [", "\"prompt\": ", "\"messages\": [", "\"content\": [", "\"type\": ",
      "\"image_url\"", "\"input_image\"", "\"url\": ", "\"input\": [", "\"inputs\": ", "\"n\": ",
      "\"stream\": ",
      "\"format\": ", "\"json\"", "\"logprobs\": ", "\"stream_options\": ", "\"include_usage\": ", "null",
      "true",
      "data:image/png;base64,", "data:", "http://", "\\n", "=", "{}",
    ],
    seeds: {
      [
        #"{"model": "a", "prompt": "What?", "images": ["\#(base64)"], "stream": false, "format": "json"}"#,
        #"{"messages": [{"role": "user", "content": "a", "images": ["\#(base64)"]}, {"role": "assistant"}]}"#,
        #"{"messages": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "\#(url)"}}]}], "n": 2, "logprobs": true, "stream": true, "stream_options": {"include_usage": true}}"#,
        #"{"input": [{"content": [{"type": "input_image", "image_url": "\#(url)"}]}], "stream": null}"#,
        #"{"inputs": "\#(base64)"}"#, #"{"messages": []}"#,
      ].map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let body = Array(bytes)
      for ollama in [
        outcome { try OllamaQuestion(generate: body) }, outcome { try OllamaQuestion(chat: body) },
      ] {
        guard let question = ollama.value else {
          try short(ollama.error)
          continue
        }
        guard let photos = question.photos else { continue }
        guard !photos.isEmpty else { throw Wrong("no photo") }
        try check(photos, body)
      }
      for openAI in [
        outcome { try OpenAIQuestion(chat: body) }, outcome { try OpenAIQuestion(response: body) },
      ] {
        guard let question = openAI.value else {
          try short(openAI.error)
          continue
        }
        guard (1...10).contains(question.count), !question.photos.isEmpty,
          question.count == 1 || question.photos.count == 1
        else { throw Wrong("\(question.count) captions of \(question.photos.count) photos") }
        try check(question.photos, body)
      }
      let huggingFace = outcome { try HuggingFaceQuestion(body, contentType: "application/json") }
      guard let question = huggingFace.value else { return try short(huggingFace.error) }
      try check([question.photo], body)
    })

  /// A first line, and the rest.
  private static func parted(_ bytes: UnsafeRawBufferPointer) -> (line: String, rest: [UInt8]) {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
    return (String(decoding: bytes[..<end], as: UTF8.self), Array(bytes[end...].dropFirst()))
  }

  /// Photos have names, and no more bytes than came.
  private static func check(_ photos: [PhotoFile], _ body: [UInt8]) throws {
    guard photos.reduce(0, { $0 + $1.bytes.count }) <= body.count else { throw Wrong("more than came") }
    guard photos.allSatisfy({ !$0.name.isEmpty }) else { throw Wrong("a photo without a name") }
  }

  /// A refusal is a line that can be read, whatever came.
  private static func short(_ error: String) throws {
    guard error.utf8.count <= 2000 else { throw Wrong("\(error.utf8.count) bytes: \(error.prefix(200))") }
  }

  private static func quoted(_ text: String) -> String {
    // By scalars: to a Character a quotation mark with an accent is none.
    "\"" + text.unicodeScalars.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : "\($0)" }.joined()
      + "\""
  }

  private static func summary(_ part: MultipartForm.Part) -> [String?] {
    [part.name, part.fileName, part.contentType, Data(part.content).base64EncodedString()]
  }

  private static func inPercents(_ text: String) -> String {
    text.utf8.map { byte in (byte < 16 ? "%0" : "%") + String(byte, radix: 16) }.joined()
  }

  private static func values(_ json: JSON) -> Int {
    switch json {
    case .list(let list): 1 + list.reduce(0) { $0 + values($1) }
    case .object(let members): 1 + members.values.reduce(0) { $0 + values($1) }
    default: 1
    }
  }

  private static func levels(_ json: JSON) -> Int {
    switch json {
    case .list(let list): 1 + (list.map(levels).max() ?? 0)
    case .object(let members): 1 + (members.values.map(levels).max() ?? 0)
    default: 0
    }
  }
}
