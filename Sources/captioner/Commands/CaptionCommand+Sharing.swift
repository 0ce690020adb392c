import ArgumentParser
import Foundation
import Imaging
import Models
import Support

/// `caption` where several processes share the photos: who is done with some takes the next.
extension CaptionCommand {
  /// Refuses what several processes can't do.
  func checkSharing(_ group: any ProcessGroup) throws {
    guard group.isShared else { return }
    let idle = [
      (!features.files.isEmpty, "--features"), (!explain.isEmpty, "--explain"),
      (sharing.shard != nil, "--shard"), (paths.paths.contains("-"), "-"),
      (paths.filesFrom == "-", "--files-from -"),
    ]
    if let (_, option) = idle.first(where: \.0) {
      throw UsageError(description: "\(option): not where \(group.size) processes share the photos")
    }
    guard writing.output != nil else {
      throw UsageError(
        description: "--output: expected a file where \(group.size) processes share the photos, found none")
    }
  }

  /// Captions what the list has, with the others.
  func captionShared(
    _ listing: (files: [String], failures: [ImageError]), _ modelPath: String, _ format: CaptionFormat,
    _ group: any ProcessGroup
  ) throws {
    guard let path = writing.output else { return }
    let shared = SharedOutput(path, format, photos: listing.files)
    try shared.checkList(among: group)
    // Rank 0 alone looks at what is there, before anybody writes a part.
    var whole: ResumableOutput?
    if group.isFirst {
      if writing.overwrite { try shared.removeParts() } else { try shared.takeUpParts() }
      whole = try ResumableOutput(path, format, captions: captions, startingOver: writing.overwrite)
    }
    try group.meet()
    let own = try captionPart(shared.part(group.rank), listing, modelPath, whole, group)
    let counts = [own.captioned, own.skipped, own.unsure, own.failed]
    let sums = try group.sums(counts.map(Double.init)).map { Int($0) }
    guard let whole else { return }
    try withExtendedLifetime(whole) { try shared.takeUpParts(areWhole: true) }
    var tally = Tally()
    tally.captioned = sums[0]
    tally.skipped = sums[1]
    tally.unsure = sums[2]
    tally.failed = sums[3]
    tally.tell()
    if tally.failed > 0 { throw ExitCode(1) }
  }

  /// Captions some of the photos into a part, which is closed then.
  /// - Parameter whole: what is there of the whole; nil at other ranks than 0, which tells them.
  private func captionPart(
    _ path: String, _ listing: (files: [String], failures: [ImageError]), _ modelPath: String,
    _ whole: ResumableOutput?, _ group: any ProcessGroup
  ) throws -> Tally {
    let format = CaptionFormat(format, output: writing.output)
    let part = try ResumableOutput(path, format, captions: captions, startingOver: true)
    var writer = CaptionWriter(format: format, to: part)
    var (tally, jobs) = (Tally(), Jobs())
    if let whole {
      for error in listing.failures {
        tally.failed += 1
        try writer.write(image: error.path, error: error.description)
      }
      jobs = try self.jobs(listing.files, whole, &writer, &tally)
    }
    let places = try group.broadcast(jobs.places.map(Double.init)).map { Int($0) }
    if !group.isFirst { jobs = self.jobs(listing.files, at: places) }
    try caption(jobs, captioner(modelPath, isForFew: false), &writer, &tally, group)
    return tally
  }

  /// The photos that rank 0 found to need captions.
  private func jobs(_ photos: [String], at places: [Int]) -> Jobs {
    var jobs = Jobs(files: writing.files)
    jobs.files?.photos = Set(photos.map { ExactName($0) })
    for place in places {
      jobs.photos.append(photos[place])
      jobs.places.append(place)
      if case .write(let kinds)? = jobs.files?.work(photos[place]) {
        jobs.kinds.append(kinds)
      } else {
        jobs.kinds.append([])
      }
    }
    return jobs
  }
}
