internal import Imaging

/// A picture in the making.
struct Canvas {
  /// Pixels in a row, and rows.
  let width, height: Int
  private var pixels: [UInt8]

  /// A grey from black, 0, to white, 255.
  typealias Grey = UInt8

  /// A picture of one grey; both sides at least 1.
  init(width: Int, height: Int, _ paper: Grey) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: paper, count: width * height * 3)
  }

  /// The picture.
  var image: RGBImage { RGBImage(width: width, height: height, pixels: pixels) }

  /// Writes a line of text whose upper left corner is at (x, y); what is outside of the picture is cut off.
  mutating func write(_ text: String, x: Int, y: Int, _ ink: Grey) {
    var left = x
    for character in text {
      guard left + PixelFont.width <= width else { return }
      let glyph = PixelFont.glyph(of: character)
      for row in 0..<PixelFont.height where (0..<height).contains(y + row) {
        for column in 0..<PixelFont.width where glyph[row, column] {
          let at = ((y + row) * width + left + column) * 3
          for channel in 0..<3 { pixels[at + channel] = ink }
        }
      }
      left += PixelFont.width
    }
  }

  /// Lays a picture's upper left corner at (x, y), each pixel times its light, 0 to 1; all of it is inside.
  mutating func draw(_ picture: RGBImage, x: Int, y: Int, light: (_ row: Int, _ column: Int) -> Float) {
    for row in 0..<picture.height {
      for column in 0..<picture.width {
        let (from, to) = ((row * picture.width + column) * 3, ((y + row) * width + x + column) * 3)
        let light = light(row, column)
        for channel in 0..<3 {
          pixels[to + channel] = UInt8(min(255, max(0, Float(picture.pixels[from + channel]) * light)))
        }
      }
    }
  }
}
