internal import Foundation
internal import Requests

/// What the service tells of itself, as OpenAPI 3.1.
enum OpenAPI {
  /// The document.
  static func document(_ options: ServiceOptions) throws -> String {
    let text = """
      {"openapi": "3.1.0",
       "info": {"title": "Captioner", "version": "\(options.version)",
         "description": "Captions of photos, and how likely captions are. Images come in the request; none is fetched."},
       "paths": {\(paths(options))},
       "components": {\(components(options))}\(options.token == nil ? "" : ", \"security\": [{\"token\": []}]")}
      """
    // One line, and a check that it is JSON.
    return try JSONDecoder().decode(JSON.self, from: Data(text.utf8)).text
  }

  private static func paths(_ options: ServiceOptions) -> String {
    [
      get("/", "The page", "text/html", #"{"type": "string"}"#, isOpen: true, besides: huggingFace),
      get("/healthz", "Whether the process answers", "text/plain", #"{"type": "string"}"#, isOpen: true),
      get("/readyz", "Whether captions are to be had", "text/plain", #"{"type": "string"}"#, isOpen: true),
      get("/metrics", "Metrics for Prometheus", "text/plain", #"{"type": "string"}"#),
      get("/openapi.json", "This document", "application/json", #"{"type": "object"}"#, isOpen: true),
      #""/v1/captions": {"post": {"summary": "Captions of photos", "operationId": "captions", \#(captions), "responses": {\#(ok("Results")), \#(problems)}}}"#,
      #""/v1/scores": {"post": {"summary": "How likely captions of a photo are", "operationId": "scores", \#(scores), "responses": {\#(ok("Results")), \#(problems)}}}"#,
      get(
        "/v1/models", "The model, as OpenAI lists it", "application/json",
        #"{"type": "object", "required": ["data"]}"#),
      #""/v1/models/{name}": {"get": {"summary": "The model, as OpenAI tells of it", "parameters": [{"name": "name", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}], "responses": {\#(okObject), "404": \#(problem("application/json")), "401": \#(problem("application/json"))}}}"#,
      post("/v1/chat/completions", "A chat completion, as OpenAI's; images are data URLs", "ChatRequest"),
      post("/v1/responses", "A response, as OpenAI's; images are data URLs", "ResponseRequest"),
      get("/api/version", "The version, as Ollama tells it", "application/json", #"{"type": "object"}"#),
      get("/api/tags", "The models, as Ollama lists them", "application/json", #"{"type": "object"}"#),
      get(
        "/api/ps", "The models in memory, as Ollama lists them", "application/json", #"{"type": "object"}"#),
      post("/api/show", "The model, as Ollama tells of it", "ShowRequest", others: ["404"]),
      post("/api/generate", "A caption, as Ollama answers a prompt", "GenerateRequest"),
      post("/api/chat", "A caption, as Ollama answers a conversation", "OllamaChatRequest"),
      #""/models/{name}": {"parameters": [{"name": "name", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}], \#(huggingFace)}"#,
    ].joined(separator: ",\n")
  }

  private static func get(
    _ path: String, _ summary: String, _ type: String, _ schema: String, isOpen: Bool = false,
    besides: String? = nil
  ) -> String {
    let denied = isOpen ? "" : ", \"401\": \(problem(errorType(path)))"
    return """
      "\(path)": {"get": {"summary": "\(summary)", \(isOpen ? "\"security\": [], " : "")"responses": {"200":
        {"description": "It", "content": {"\(type)": {"schema": \(schema)}}}\(denied)}}\(besides.map { ", " + $0 } ?? "")}
      """
  }

  private static func post(_ path: String, _ summary: String, _ body: String, others: [String] = []) -> String
  {
    let more = others.map { "\"\($0)\": \(problem("application/json")), " }.joined()
    return """
      "\(path)": {"post": {"summary": "\(summary)", "requestBody": {"required": true, "content":
        {"application/json": {"schema": \(ref(body))}}},
        "responses": {\(okObject), \(more)\(problems(type: "application/json"))}}}
      """
  }

  private static let huggingFace = #"""
    "post": {"summary": "A caption, as of Hugging Face's image-to-text task", "requestBody": {"required": true, "content":
      {"application/octet-stream": {}, "image/*": {},
       "application/json": {"schema": {"type": "object", "required": ["inputs"], "properties": {"inputs": \#(ref("Image"))}}}}},
      "responses": {"200": {"description": "The caption", "content": {"application/json": {"schema":
        {"type": "array", "items": {"type": "object", "required": ["generated_text"],
          "properties": {"generated_text": {"type": "string"}}}}}}}, \#(problems(type: "application/json"))}}
    """#

  private static func ref(_ schema: String) -> String { "{\"$ref\": \"#/components/schemas/\(schema)\"}" }

  private static func errorType(_ path: String) -> String { Dialect(path: path).errorType }

  private static func ok(_ schema: String) -> String {
    #""200": {"description": "Results", "content": {"application/json": {"schema": \#(ref(schema))}}}"#
  }

  private static let okObject = #"""
    "200": {"description": "An answer", "content": {"application/json": {"schema": {"type": "object"}},
      "application/x-ndjson": {}, "text/event-stream": {}}}
    """#

  private static func problem(_ type: String) -> String {
    let schema = type == "application/json" ? #"{"type": "object", "required": ["error"]}"# : ref("Problem")
    return #"{"description": "Why not", "content": {"\#(type)": {"schema": \#(schema)}}}"#
  }

  private static func problems(type: String) -> String {
    ["400", "401", "408", "413", "415", "422", "500", "503", "504"].map { "\"\($0)\": \(problem(type))" }
      .joined(separator: ", ")
  }

  private static let problems = problems(type: "application/problem+json")

  /// Options of captions: name, schema.
  private static let options: [(String, String)] = [
    ("beam_width", integer(CaptionFields.beamWidths, "Captions followed at a time; 1 is greedy", 3)),
    (
      "captions",
      integer(
        CaptionFields.drawn,
        "Captions of each image, the best first; at most the beam width, or 100 with sample", 1)
    ),
    ("max_length", integer(CaptionFields.maximumLengths, "Words in a caption, at most", 20)),
    ("min_length", integer(0...CaptionFields.maximumLengths.upperBound, "Words in a caption, at least", 1)),
    (
      "length_normalization",
      #"{"type": "string", "enum": ["none", "average", "wu"], "default": "none", "description": "What captions are ranked by"}"#
    ),
    ("length_penalty", number(CaptionFields.lengthPenalties, "wu's A; only with wu")),
    (
      "mutual_information",
      number(
        CaptionFields.mutualInformations,
        "Captions are ranked by log-prob less this times their log-prob without any photo; only without sample"
      )
    ),
    (
      "sample",
      #"{"type": "boolean", "default": false, "description": "Draw captions at random instead of searching"}"#
    ),
    (
      "temperature",
      number(CaptionFields.temperatures, "Below 1 likely words become likelier; only with sample")
    ),
    ("top_k", integer(1...Int.max, "Draw each word among the k likeliest; only with sample")),
    (
      "top_p",
      #"{"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "Draw among the likeliest words that make up p; only with sample"}"#
    ),
    ("seed", integer(0...Int.max, "The same seed gives the same captions; only with sample")),
    ("prefix", text("How captions begin")),
    ("force", texts("Words that captions must contain; not with sample")),
    ("forbid", texts("Words that captions must not contain")),
    (
      "no_repeat_ngram",
      integer(CaptionFields.noRepeatNgrams, "No n words in a row come twice; 0 lets them", 0)
    ),
    (
      "explain",
      #"{"type": "boolean", "default": false, "description": "Say where the model looks for the words of the best caption; with one image"}"#
    ),
  ]

  private static let scoreOptions: [(String, String)] = [
    (
      "captions",
      #"{"type": "array", "minItems": 1, "maxItems": \#(ScoreFields.captions), "items": {"type": "string", "maxLength": \#(ScoreFields.captionBytes / 4)}}"#
    ),
    ("runner_ups", integer(ScoreFields.runnersUp, "Other words to tell at each place", 0)),
  ]

  private static func integer(_ bounds: ClosedRange<Int>, _ description: String, _ usual: Int? = nil)
    -> String
  {
    let usual = usual.map { ", \"default\": \($0)" } ?? ""
    return
      #"{"type": "integer", "minimum": \#(bounds.lowerBound), "maximum": \#(bounds.upperBound)\#(usual), "description": "\#(description)"}"#
  }

  private static func number(_ bounds: ClosedRange<Double>, _ description: String) -> String {
    #"{"type": "number", "minimum": \#(bounds.lowerBound), "maximum": \#(bounds.upperBound), "description": "\#(description)"}"#
  }

  private static func text(_ description: String) -> String {
    #"{"type": "string", "maxLength": \#(CaptionFields.maximumWordBytes / 4), "description": "\#(description)"}"#
  }

  private static func texts(_ description: String) -> String {
    #"{"type": "array", "maxItems": \#(CaptionFields.maximumWords), "items": {"type": "string", "maxLength": \#(CaptionFields.maximumWordBytes / 4)}, "description": "\#(description)"}"#
  }

  private static func parameters(_ options: [(String, String)]) -> String {
    "\"parameters\": ["
      + options.map { name, schema in
        #"{"name": "\#(name)", "in": "query", "explode": true, "schema": \#(schema)}"#
      }.joined(separator: ", ") + "]"
  }

  private static func body(
    _ images: String, _ schema: String, _ options: [(String, String)], required: String
  ) -> String {
    let members = options.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
    return """
      "requestBody": {"required": true, "content": {
        "image/*": {}, "application/octet-stream": {},
        "multipart/form-data": {"schema": {"type": "object", "properties":
          {"image": {"type": "array", "items": {"type": "string", "contentMediaType": "image/*"}}, \(members)}}},
        "application/json": {"schema": {"type": "object", "required": [\(required)], "additionalProperties": false,
          "properties": {"\(images)": \(schema), \(members)}}}}}
      """
  }

  private static let captions =
    parameters(options) + ", "
    + body(
      "images", #"{"type": "array", "minItems": 1, "items": \#(ref("Image"))}"#, options,
      required: "\"images\"")

  /// As in a query, which is shorter than a body.
  private static let scoreParameters = [
    ("captions", #"{"type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 200}}"#),
    scoreOptions[1],
  ]

  private static let scores =
    parameters(scoreParameters) + ", "
    + body(
      "image", ref("Image"), scoreOptions, required: "\"image\", \"captions\"")

  private static func components(_ options: ServiceOptions) -> String {
    let security =
      options.token == nil
      ? "" : #""securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "#
    return security + #"""
      "schemas": {
      "Image": {"type": "string", "minLength": 1, "description": "A PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC or AVIF file in base64, or a URL data:image/…;base64,…"},
      "Word": {"type": "object", "required": ["word", "log_prob"], "properties": {"word": {"type": "string"},
        "log_prob": {"type": "number"}, "rank": {"type": "integer", "minimum": 1},
        "runners_up": {"type": "array", "items": \#(ref("Word"))}}},
      "Caption": {"type": "object", "required": ["caption", "log_prob", "normalized_log_prob", "words"], "properties": {
        "caption": {"type": "string"}, "log_prob": {"type": "number"}, "normalized_log_prob": {"type": "number"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "words": {"type": "array", "items": \#(ref("Word"))}}},
      "Explanation": {"type": "object", "required": ["kind", "rows", "columns", "weights"], "properties": {
        "kind": {"type": "string", "enum": ["attention", "occlusion"]}, "rows": {"type": "integer"}, "columns": {"type": "integer"},
        "weights": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        "crop": {"type": "object"}}},
      "Result": {"type": "object", "required": ["image"], "properties": {"image": {"type": "string"},
        "captions": {"type": "array", "items": \#(ref("Caption"))},
        "explanation": \#(ref("Explanation")), "error": {"type": "string"}}},
      "Results": {"type": "object", "required": ["model", "results"], "properties": {"model": {"type": "string"},
        "results": {"type": "array", "items": \#(ref("Result"))}}},
      "Problem": {"type": "object", "required": ["type", "title", "status", "detail"], "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}}},
      "ShowRequest": {"type": "object", "required": ["model"], "properties": {"model": {"type": "string"}}},
      "GenerateRequest": {"type": "object", "properties": {"model": {},
        "prompt": {}, "images": {"type": ["array", "null"], "items": \#(ref("Image"))},
        "stream": {"type": ["boolean", "null"], "default": true}}},
      "OllamaChatRequest": {"type": "object", "properties": {"model": {},
        "messages": {"type": ["array", "null"], "items": {"type": "object", "properties": {"role": {},
          "content": {}, "images": {"type": ["array", "null"], "items": \#(ref("Image"))}}}},
        "stream": {"type": ["boolean", "null"], "default": true}}},
      "ImagePart": {"type": "object", "required": ["type", "image_url"], "properties": {
        "type": {"enum": ["image_url", "input_image"]}, "image_url": {}}},
      "ChatRequest": {"type": "object", "required": ["messages"], "properties": {"model": {},
        "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"role": {},
          "content": {"type": "array", "minItems": 1, "items": \#(ref("ImagePart"))}}}},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 10, "default": 1}, "logprobs": {"type": ["boolean", "null"]},
        "stream": {"type": ["boolean", "null"]}}},
      "ResponseRequest": {"type": "object", "required": ["input"], "properties": {"model": {},
        "input": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"role": {},
          "content": {"type": "array", "minItems": 1, "items": \#(ref("ImagePart"))}}}},
        "stream": {"type": ["boolean", "null"]}}}}
      """#
  }
}
