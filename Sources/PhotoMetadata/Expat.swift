internal import Glibc

/// The functions of the XML parser expat, loaded when XML is first read: commands that read none start without it, and
/// run where it is not installed. What `libexpat.so.1` exports has kept its form since 2001.
struct Expat: @unchecked Sendable {
  typealias Parser = OpaquePointer
  typealias Text = UnsafePointer<CChar>
  typealias Context = UnsafeMutableRawPointer
  /// The name, and names and values of attributes in turn, nil after the last.
  typealias StartElement =
    @convention(c) (Context?, Text?, UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Void
  typealias EndElement = @convention(c) (Context?, Text?) -> Void
  typealias CharacterData = @convention(c) (Context?, Text?, Int32) -> Void
  /// The name, the identifiers of the external part, and whether there is an internal one.
  typealias StartDoctype = @convention(c) (Context?, Text?, Text?, Text?, Int32) -> Void
  /// The version, the encoding, and whether the document stands alone.
  typealias Declaration = @convention(c) (Context?, Text?, Text?, Int32) -> Void

  /// With namespaces: names are URI, separator, local name.
  let create: @convention(c) (Text?, CChar) -> Parser?
  let setContext: @convention(c) (Parser, Context?) -> Void
  let setElements: @convention(c) (Parser, StartElement?, EndElement?) -> Void
  let setText: @convention(c) (Parser, CharacterData?) -> Void
  let setDoctype: @convention(c) (Parser, StartDoctype?) -> Void
  let setDeclaration: @convention(c) (Parser, Declaration?) -> Void
  /// The bytes, their number, and whether they are the last; 1 where all is well.
  let parse: @convention(c) (Parser, Text?, Int32, Int32) -> Int32
  let stop: @convention(c) (Parser, UInt8) -> Int32
  /// Where the present event begins, and how many bytes it has.
  let byteIndex: @convention(c) (Parser) -> Int
  let byteCount: @convention(c) (Parser) -> Int32
  let line: @convention(c) (Parser) -> UInt
  let errorCode: @convention(c) (Parser) -> Int32
  let errorText: @convention(c) (Int32) -> Text?
  let free: @convention(c) (Parser) -> Void

  /// The library; nil where there is none.
  static let shared = Expat(library: "libexpat.so.1")

  init?(library name: String) {
    guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    func function<F>(_ name: String) -> F? { dlsym(library, name).map { unsafeBitCast($0, to: F.self) } }
    guard let create: @convention(c) (Text?, CChar) -> Parser? = function("XML_ParserCreateNS"),
      let setContext: @convention(c) (Parser, Context?) -> Void = function("XML_SetUserData"),
      let setElements: @convention(c) (Parser, StartElement?, EndElement?) -> Void = function(
        "XML_SetElementHandler"),
      let setText: @convention(c) (Parser, CharacterData?) -> Void = function("XML_SetCharacterDataHandler"),
      let setDoctype: @convention(c) (Parser, StartDoctype?) -> Void = function(
        "XML_SetStartDoctypeDeclHandler"),
      let setDeclaration: @convention(c) (Parser, Declaration?) -> Void = function("XML_SetXmlDeclHandler"),
      let parse: @convention(c) (Parser, Text?, Int32, Int32) -> Int32 = function("XML_Parse"),
      let stop: @convention(c) (Parser, UInt8) -> Int32 = function("XML_StopParser"),
      let byteIndex: @convention(c) (Parser) -> Int = function("XML_GetCurrentByteIndex"),
      let byteCount: @convention(c) (Parser) -> Int32 = function("XML_GetCurrentByteCount"),
      let line: @convention(c) (Parser) -> UInt = function("XML_GetCurrentLineNumber"),
      let errorCode: @convention(c) (Parser) -> Int32 = function("XML_GetErrorCode"),
      let errorText: @convention(c) (Int32) -> Text? = function("XML_ErrorString"),
      let free: @convention(c) (Parser) -> Void = function("XML_ParserFree")
    else { return nil }
    self.create = create
    self.setContext = setContext
    self.setElements = setElements
    self.setText = setText
    self.setDoctype = setDoctype
    self.setDeclaration = setDeclaration
    self.parse = parse
    self.stop = stop
    self.byteIndex = byteIndex
    self.byteCount = byteCount
    self.line = line
    self.errorCode = errorCode
    self.errorText = errorText
    self.free = free
  }
}
