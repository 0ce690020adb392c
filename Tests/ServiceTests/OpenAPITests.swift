import Requests
import Testing

@testable import Service

@Suite struct OpenAPITests {
  private static func document(token: String? = nil) throws -> JSON {
    var options = ServiceOptions(model: "model.safetensors")
    options.token = token
    return try JSON(Array(OpenAPI.document(options).utf8))
  }

  /// What it refers to is there.
  @Test func referencesLeadSomewhere() throws {
    let document = try Self.document()
    var references: Set<String> = []
    func look(_ json: JSON) {
      switch json {
      case .list(let values): values.forEach(look)
      case .object(let members):
        if let name = json["$ref"]?.string { references.insert(name) }
        members.values.forEach(look)
      default: break
      }
    }
    look(document)
    #expect(references.count > 8)
    for name in references {
      let schema = name.split(separator: "/").last.map(String.init) ?? ""
      #expect(document["components"]?["schemas"]?[schema] != nil, "\(name)")
    }
    #expect(document["security"] == nil)
    #expect(try Self.document(token: "x")["components"]?["securitySchemes"] != nil)
  }

  @Test func everyOptionIsThere() throws {
    let captions = try Self.document()["paths"]?["/v1/captions"]?["post"]
    guard case .list(let parameters)? = captions?["parameters"] else {
      Issue.record("expected parameters")
      return
    }
    #expect(Set(parameters.compactMap { $0["name"]?.string }) == CaptionFields.names)
  }

  /// Each path answers otherwise than with 404 or 405.
  @Test func pathsAreThere() async throws {
    guard case .object(let paths)? = try Self.document()["paths"] else {
      Issue.record("expected paths")
      return
    }
    #expect(paths.count > 15)
    try await TestService.with { service async throws in
      for (path, methods) in paths {
        guard case .object(let methods) = methods else { continue }
        for method in methods.keys where method != "parameters" {
          let reply = try await service.send(
            method.uppercased(), path.replacing("{name}", with: "model"), [],
            headers: ["Content-Type": "application/json"])
          #expect(reply.status == (method == "get" ? 200 : 400), "\(method) \(path): \(reply.text)")
        }
      }
    }
  }
}
