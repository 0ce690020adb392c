import ArgumentParser
import Models
import Foundation
import Kernels
import Support
import Tensors

/// Each of VGG-16's convolutions by itself: milliseconds an image, and how much of the floor that is.
struct LayerBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "layers")

  @Option var batch = 8
  @Option var threads = 2
  @Option var repetitions = 10

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let workspace = ConvolutionWorkspace()
    var random = Random(seed: 1)
    var side = 224
    var total = 0.0
    var c = 3
    let table = VGGArchitecture.vgg(16, head: .none)!.layers
    for (layer, next) in zip(table, table.dropFirst()) {
      guard case .convolution(let k) = layer else { continue }
      let maps = MapShape(images: batch, height: side, width: side, channels: c)
      let convolution = ConvolutionDescriptor(inputChannels: c, outputChannels: k, pool: next == .pool)
        .fitted(to: maps)
      let weights = Tensor(uniform: [k, c, 3, 3], limit: 0.1, using: &random)
      let input = Tensor(uniform: [batch, side, side, c], limit: 1, using: &random)
      let bias = Tensor(zeros: [k])
      let result = convolution.output(of: maps)
      var transformed = Tensor(uninitialized: [convolution.transformedCount])
      transformWeights(convolution, into: transformed.mutablePointer(), workspace: workspace, on: .cpu) {
        $1.update(from: weights.pointer + $0.lowerBound, count: $0.count)
      }
      let parameters = ConvolutionParameters(transformed: transformed.pointer, bias: bias.pointer)
      var output = Tensor(uninitialized: [batch, result.height, result.width, k])
      var times: [Double] = []
      for _ in 0...repetitions {
        times.append(
          ContinuousClock().measure {
            convolve(
              input.maps, convolution, parameters, into: output.mutableMaps(), workspace: workspace,
              on: .cpu)
          } / .milliseconds(1) / Double(batch))
      }
      times = times.dropFirst().sorted()
      let tileSide = convolution.tile.rawValue
      let tiles = ((side + tileSide - 1) / tileSide) * ((side + tileSide - 1) / tileSide)
      let points = convolution.usesWinograd ? (tileSide + 2) * (tileSide + 2) : 9 * tileSide * tileSide
      let multiplications = c * k * points * tiles
      let rate = 2 * Double(multiplications) / times[0] / 1e6
      total += times[0]
      print(
        String(
          format: "%3dx%3d %3d -> %3d%@ least %.3f, median %.3f ms/image; %.0f GFLOP/s", side, side, c, k,
          convolution.pool ? " pool" : "", times[0], times[times.count / 2], rate))
      c = k
      side = result.height
    }
    print("sum of the least", total)
  }
}
