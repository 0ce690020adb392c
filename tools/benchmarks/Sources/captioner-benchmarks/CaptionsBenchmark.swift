import ArgumentParser
import Datasets
import Foundation
import Kernels
import Language

/// A caption file, read, tokenized, encoded by its vocabulary, and cut into an epoch's batches.
struct CaptionsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "captions")

  @Argument var path: String
  @Option var threads = 2

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let clock = ContinuousClock()
    var (laps, last) = ([String: Double](), clock.now)
    let start = last
    func lap(_ name: String) {
      laps[name] = (clock.now - last) / .seconds(1)
      last = clock.now
    }
    let dataset = try CaptionDataset(path: path, split: .ifAny("train"))
    lap("read")
    let words = dataset.tokenized()
    lap("tokenize")
    let vocabulary = Vocabulary(counts: words.counts, minimumCount: 5)
    let captions = words.encoded(by: vocabulary)
    lap("encode")
    let batches = CaptionBatches(
      lengths: captions.indices.map(captions.length), batchSize: 100, seed: 1, epoch: 1)
    let first = batches[0].map { Array(captions[$0]) }
    lap("batches")
    let line: [String: Any] = [
      "engine": "captioner", "threads": threads, "times": [(last - start) / .seconds(1)], "laps": laps,
      "captions": captions.count, "words": vocabulary.count, "batches": batches.count,
      "first": first[0].count, "peak_megabytes": peakMegabytes(), "cpu_seconds": processorSeconds(),
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }

  private func peakMegabytes() -> Int {
    var usage = rusage()
    getrusage(0, &usage)  // RUSAGE_SELF
    return usage.ru_maxrss / 1024
  }

  private func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(0, &usage)  // RUSAGE_SELF
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}
