import Captioning
import Tensors

/// A file of VGG-16's convolutions, He-scaled so that no activation dies or explodes.
func writeSeededVGG16(to path: String) throws {
  var items: [SafetensorsWriter.Item] = []
  var (index, channels) = (0, 3)
  for field in VGGArchitecture.vgg(16, head: .none)!.layers {
    guard case .convolution(let width) = field else {
      index += 1
      continue
    }
    var random = Random(seed: 2, stream: UInt64(index))
    let limit = (6 / Float(channels * 9)).squareRoot()
    items.append(
      .init(
        name: "features.\(index).weight",
        tensor: Tensor(uniform: [width, channels, 3, 3], limit: limit, using: &random)))
    items.append(.init(name: "features.\(index).bias", tensor: Tensor(zeros: [width])))
    (index, channels) = (index + 2, width)
  }
  try SafetensorsWriter.write(items, metadata: [:], to: path)
}
