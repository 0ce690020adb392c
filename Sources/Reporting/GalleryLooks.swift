public import Imaging
public import Models

/// Where the model looked for the words of the gallery's captions.
public struct GalleryLooks: Sendable {
  /// Of the best caption of a row of the evaluation; a row that has none shows nothing.
  public let explanations: [Int: Explanation]
  /// What the model saw of each photo.
  public let preprocessing: Preprocessing

  /// Explanations by row.
  public init(_ explanations: [Int: Explanation], seen preprocessing: Preprocessing) {
    self.explanations = explanations
    self.preprocessing = preprocessing
  }

  /// What is the same for all, as the page's script reads it.
  struct Frame: Encodable {
    /// Rows and columns of the grids.
    let rows, columns: Int
    /// Whether a grid is of attention, whose weights are shares; else they are nats.
    let attends: Bool
    /// The width and height that the model saw, in shares of the photo's short side; nil: it saw all.
    let crop: [Double]?
  }

  /// nil: there are none.
  var frame: Frame? {
    guard let any = explanations.values.first else { return nil }
    var crop: [Double]?
    if case .shortSideThenCenterCrop(let side) = preprocessing.resize {
      crop = [Double(preprocessing.width) / Double(side), Double(preprocessing.height) / Double(side)]
    }
    return Frame(rows: any.rows, columns: any.columns, attends: any.kind == .attention, crop: crop)
  }
}
