public import Tensors

/// The direct definition, in plain loops: the oracle of the kernels' tests. x [N, H, W, C] → [N, H', W', K].
public func convolveNaively(
  _ x: Tensor, weights: Tensor, bias: Tensor, pool: Bool
) -> Tensor {
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let k = weights.shape[0]
  var full = [Float](repeating: 0, count: n * h * w * k)
  for image in 0..<n {
    for row in 0..<h {
      for column in 0..<w {
        for output in 0..<k {
          var sum = Double(bias.pointer[output])
          for dy in 0..<3 where row + dy >= 1 && row + dy <= h {
            for dx in 0..<3 where column + dx >= 1 && column + dx <= w {
              let pixel = x.pointer + ((image * h + row + dy - 1) * w + column + dx - 1) * c
              let filter = weights.pointer + output * c * 9 + dy * 3 + dx
              for channel in 0..<c { sum += Double(pixel[channel]) * Double(filter[channel * 9]) }
            }
          }
          full[((image * h + row) * w + column) * k + output] = Float(max(0, sum))
        }
      }
    }
  }
  guard pool else { return Tensor(full, [n, h, w, k]) }
  let (ph, pw) = (h / 2, w / 2)
  var pooled = [Float](repeating: 0, count: n * ph * pw * k)
  for image in 0..<n {
    for row in 0..<ph {
      for column in 0..<pw {
        for channel in 0..<k {
          let at = { (dy: Int, dx: Int) in
            full[((image * h + 2 * row + dy) * w + 2 * column + dx) * k + channel]
          }
          pooled[((image * ph + row) * pw + column) * k + channel] = max(
            at(0, 0), at(0, 1), at(1, 0), at(1, 1))
        }
      }
    }
  }
  return Tensor(pooled, [n, ph, pw, k])
}
