import CaptionerKit

/// The best caption of a photo, and what the model thinks of another.
func describe(_ photo: String, model: String) throws -> String {
  let captioner = try Captioner(contentsOf: model)
  let best = try captioner.caption(contentsOf: photo)
  let given = try captioner.score("a dog runs through the grass", ofImageAt: photo)
  return "\(best.text): \(best.logProb), against \(given.logProb)"
}

/// Five captions of a photo, searched for or drawn.
func variations(_ photo: String, with captioner: Captioner) throws -> [Caption] {
  let searched = try captioner.captions(contentsOf: photo, .beam(BeamOptions(beamWidth: 5, captions: 5)))
  let drawn = try captioner.captions(
    contentsOf: photo, .sample(SamplingOptions(captions: 5, ClassSampling(topP: 0.9), seed: 7)))
  return searched + drawn
}

/// The captions of a folder's worth of files, and the errors of those that can't be read.
func describeAll(_ paths: [String], with captioner: Captioner) async throws -> [String] {
  var lines: [String] = []
  for try await file in captioner.captions(ofFiles: paths) {
    switch file.captions {
    case .success(let captions): lines.append("\(file.path): \(captions[0])")
    case .failure(let error): lines.append("\(error)")
    }
  }
  return lines
}
