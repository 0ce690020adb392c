/// Which images to take from a caption file that sorts its images into splits, as Karpathy's files do with `train`,
/// `restval`, `val` and `test`.
public enum CaptionSplit: Sendable, Equatable {
  /// Every image, whatever its split.
  case all
  /// The images of the named splits (`train`, or several as `val,test`); a file without splits is refused. As in
  /// neuraltalk2 and its successors `train` includes `restval`, the images of COCO's validation set that neither
  /// `val` nor `test` took; `train-only` is `train` without them.
  case named(String)
  /// As `named` where the file has splits, every image where it has none.
  case ifAny(String)

  /// The split that an option names, or if it is empty the `usual` one of files that have splits.
  public init(_ name: String, unlessNamed usual: String) {
    switch name {
    case "all": self = .all
    case "": self = .ifAny(usual)
    default: self = .named(name)
    }
  }

  /// The splits that the name stands for.
  static func members(of name: String) -> Set<String> {
    var members: Set<String> = []
    for part in name.split(separator: ",").map({ String($0.filter { $0 != " " }) }) {
      switch part {
      case "train": members.formUnion(["train", "restval"])
      case "train-only": members.insert("train")
      default: members.insert(part)
      }
    }
    return members
  }
}
