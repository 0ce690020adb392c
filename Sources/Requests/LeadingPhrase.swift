/// How captions are to begin where a prompt says so, by ending in "…" or "...": "a photo of …". All else that prompts of
/// other services' clients say is not heeded.
package enum LeadingPhrase {
  /// The words before the dots; nil of any other prompt, and of one too long to begin a caption.
  package static func of(_ prompt: String?) -> String? {
    guard let prompt, prompt.utf8.count <= CaptionFields.maximumWordBytes else { return nil }
    var words = prompt[...]
    func trim() { while words.last?.isWhitespace == true { words.removeLast() } }
    trim()
    guard words.hasSuffix("…") || words.hasSuffix("...") else { return nil }
    while words.last == "…" || words.last == "." { words.removeLast() }
    trim()
    let text = words.drop(while: \.isWhitespace)
    return text.isEmpty ? nil : String(text)
  }
}
