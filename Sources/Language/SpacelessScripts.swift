extension Unicode.Scalar {
  /// Whether it belongs to a script that is written without spaces between words: Han, Hiragana, Katakana, Thai, Lao,
  /// Khmer, Myanmar.
  public var isOfSpacelessScript: Bool {
    switch value {
    case 0x0E01...0x0EFF: true  // Thai, Lao
    case 0x1000...0x109F, 0xA9E0...0xA9FF, 0xAA60...0xAA7F: true  // Myanmar
    case 0x1780...0x17FF: true  // Khmer
    case 0x3005...0x3007, 0x3041...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9F: true  // Hiragana, Katakana
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x323AF: true  // Han
    default: false
    }
  }
}
