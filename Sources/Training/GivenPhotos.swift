internal import Datasets
internal import Support
internal import Tensors

/// Photos whose features are given: the photos themselves need not be there.
struct GivenPhotos: PhotoFeatures {
  let names: [String]
  let files: [String]?
  /// Names the features.
  let key: String
  private let features: SelectedFeatures

  init(_ photos: PhotoList, _ features: SelectedFeatures) {
    names = photos.names
    files = photos.files
    key = "given features \(features.fingerprint)"
    self.features = features
  }

  var width: Int { features.width }
  var isCached: Bool { true }

  func isThere(_ row: Int) -> Bool { true }

  func read(_ rows: [Int]) -> Tensor { features.read(rows) }

  /// There is one view of each.
  func drawn(_ rows: [Int], at places: [Int], using random: inout Random) -> Tensor {
    features.read(places.map { rows[$0] })
  }
}
