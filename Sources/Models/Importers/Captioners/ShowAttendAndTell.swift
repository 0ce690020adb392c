internal import WeightFiles

/// a-PyTorch-Tutorial-to-Image-Captioning (Vinodababu), an implementation of Show, Attend and Tell whose checkpoints are
/// pickles of whole modules. Our attention is another: it is refused, with what is missing.
struct ShowAttendAndTell: CaptionerImporter {
  let title = "a-PyTorch-Tutorial-to-Image-Captioning"

  /// The classes that its checkpoints name, whose objects are looked at and never made.
  static let classes: Set<String> = Set(
    ["models.Encoder", "models.DecoderWithAttention", "models.Attention"]
      + [
        "activation.ReLU", "activation.Sigmoid", "activation.Softmax", "batchnorm.BatchNorm2d",
        "container.Sequential", "conv.Conv2d", "dropout.Dropout", "linear.Linear",
        "pooling.AdaptiveAvgPool2d",
        "pooling.MaxPool2d", "rnn.LSTMCell", "sparse.Embedding",
      ].map { "torch.nn.modules." + $0 }
      + ["torchvision.models.resnet.Bottleneck", "torchvision.models.vgg.VGG", "torch.optim.adam.Adam"])

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .python(let root) = content, case .object(let decoder)? = root["decoder"],
      decoder.className == "models.DecoderWithAttention"
    else { return nil }
    throw files.unsupported(
      "a decoder whose attention compares by tanh, with one gate for all channels",
      "\(title)'s: a ReLU, a gate for each channel, and initial states of the regions' mean without tanh")
  }
}
