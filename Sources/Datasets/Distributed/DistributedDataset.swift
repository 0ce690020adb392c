/// A data set of captioned photos as its authors distribute it: which files there are, how much they hold, and where they
/// are to be had.
public struct DistributedDataset: Sendable {
  /// A caption file, and what it is of.
  public struct Part: Sendable, Equatable {
    /// A split's name, as `CaptionSplit` has it; `all` of a file without splits.
    public let split: String
    /// Where its captions may be in the data set's folder, the usual place first.
    let captions: [String]
    /// Which images of the file are its own.
    let selection: CaptionSplit
    /// Where its photos may be, the usual place first; `.` is the folder itself.
    let images: [String]
    /// What one of them must hold to be it; empty: anything.
    let subfolders: [String]
    /// How many images it has, and captions; nil where files that are about differ.
    public let imageCount, captionCount: Int?

    init(
      _ split: String, of selection: CaptionSplit, captions: [String], images: [String],
      holding subfolders: [String] = [], counts: (images: Int?, captions: Int?)
    ) {
      self.split = split
      self.selection = selection
      self.captions = captions
      self.images = images
      self.subfolders = subfolders
      imageCount = counts.images
      captionCount = counts.captions
    }
  }

  /// One of the forms in which it is about.
  struct Form: Sendable {
    let title: String
    let parts: [Part]
  }

  /// The word that the command line takes.
  public let name: String
  /// What people call it.
  public let title: String
  let forms: [Form]
  /// Where it is to be had.
  public let source: String
  /// What its authors allow, and where they say so.
  public let terms: String

  /// All that are known.
  public static let all = [coco, flickr8k, flickr30k, karpathy]
}

extension DistributedDataset {
  private static func cocoPart(
    _ split: String, _ folder: String, images: Int, captions: Int
  ) -> Part {
    let file = "captions_\(folder).json"
    return Part(
      split, of: .all,
      captions: ["annotations/\(file)", file, "annotations_trainval\(folder.suffix(4))/annotations/\(file)"],
      images: [folder, "images/\(folder)"], counts: (images, captions))
  }

  /// COCO captions (Chen et al. 2015), 2017's division and 2014's.
  static let coco = DistributedDataset(
    name: "coco", title: "COCO captions",
    forms: [
      Form(
        title: "of 2017",
        parts: [
          cocoPart("train", "train2017", images: 118_287, captions: 591_753),
          cocoPart("val", "val2017", images: 5_000, captions: 25_014),
        ]),
      Form(
        title: "of 2014",
        parts: [
          cocoPart("train", "train2014", images: 82_783, captions: 414_113),
          cocoPart("val", "val2014", images: 40_504, captions: 202_654),
        ]),
    ],
    source: "https://cocodataset.org/#download",
    terms: "captions CC BY 4.0, photos under Flickr's terms of use: https://cocodataset.org/#termsofuse")

  private static let flickr8kPhotos = [
    "Flicker8k_Dataset", "Flickr8k_Dataset", "Flickr8k_Dataset/Flicker8k_Dataset", "Images", "images",
  ]

  /// Flickr8k (Hodosh, Young & Hockenmaier 2013), as its authors sent it and as Kaggle has it.
  static let flickr8k = {
    func part(_ split: String, _ images: Int) -> Part {
      Part(
        split, of: .named(split),
        captions: ["Flickr8k.token.txt", "Flickr8k_text/Flickr8k.token.txt", "text/Flickr8k.token.txt"],
        images: flickr8kPhotos, counts: (images, 5 * images))
    }
    return DistributedDataset(
      name: "flickr8k", title: "Flickr8k",
      forms: [
        Form(
          title: "as its authors give it",
          parts: [part("train", 6_000), part("val", 1_000), part("test", 1_000)]),
        Form(
          title: "as Kaggle has it, without splits",
          parts: [
            Part(
              "all", of: .all, captions: ["captions.txt"], images: ["Images"] + flickr8kPhotos,
              counts: (8_091, 40_455))
          ]),
      ],
      source: "https://forms.illinois.edu/sec/1713398",
      terms: "research and education, not commercial; photos under Flickr's terms of use")
  }()

  private static let flickr30kPhotos = [
    "flickr30k-images", "flickr30k_images", "flickr30k_images/flickr30k_images", "Images", "images",
  ]

  /// Flickr30k (Young et al. 2014).
  static let flickr30k = DistributedDataset(
    name: "flickr30k", title: "Flickr30k",
    forms: [
      Form(
        title: "as its authors give it, without splits",
        parts: [
          Part(
            "all", of: .all, captions: ["results_20130124.token", "flickr30k/results_20130124.token"],
            images: flickr30kPhotos, counts: (31_783, 158_915))
        ]),
      Form(
        title: "as Kaggle has it, without splits",
        parts: [
          Part(
            "all", of: .all, captions: ["results.csv", "flickr30k_images/results.csv"],
            images: ["flickr30k_images/flickr30k_images"] + flickr30kPhotos, counts: (31_783, 158_915))
        ]),
    ],
    source: "https://shannon.cs.illinois.edu/DenotationGraph/",
    terms: "research and education, not commercial; photos under Flickr's terms of use")

  /// Karpathy's splits of the three (Karpathy & Fei-Fei 2015), beside the photos.
  static let karpathy = {
    func form(
      _ name: String, _ photos: [String], holding subfolders: [String] = [], train: Int, val: Int, test: Int
    ) -> Form {
      let files = ["dataset_\(name).json", "caption_datasets/dataset_\(name).json"]
      return Form(
        title: "of \(name)",
        parts: [("train", train), ("val", val), ("test", test)].map {
          Part(
            $0.0, of: .named($0.0), captions: files, images: photos, holding: subfolders, counts: ($0.1, nil))
        })
    }
    return DistributedDataset(
      name: "karpathy", title: "Karpathy's splits",
      forms: [
        // Names of its photos begin with train2014 and val2014.
        form(
          "coco", [".", "images", "coco"], holding: ["train2014", "val2014"], train: 113_287, val: 5_000,
          test: 5_000),
        form("flickr30k", flickr30kPhotos, train: 29_000, val: 1_014, test: 1_000),
        form("flickr8k", flickr8kPhotos, train: 6_000, val: 1_000, test: 1_000),
      ],
      source: "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip",
      terms: "those of COCO, Flickr30k and Flickr8k, whose photos are to be had from there")
  }()
}
