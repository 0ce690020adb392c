import Models
import Support
import Tensors

/// A file of VGG-16's convolutions, He-scaled so that no activation dies or explodes, and its two FC layers if they
/// are wanted, stored as `head`.
func writeSeededVGG16(to path: String, head: StoredType? = nil) throws {
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
  if let head {
    for (index, inputs) in [(0, 25088), (3, 4096)] {
      var random = Random(seed: 3, stream: UInt64(index))
      let limit = (6 / Float(inputs)).squareRoot()
      items.append(
        .init(
          name: "classifier.\(index).weight",
          tensor: Tensor(uniform: [4096, inputs], limit: limit, using: &random), type: head))
      items.append(.init(name: "classifier.\(index).bias", tensor: Tensor(zeros: [4096])))
    }
  }
  try SafetensorsWriter.write(items, metadata: [:], to: path)
}
