internal import Foundation

extension CIDEr {
  /// In how many images' references each n-gram is: made once for a set, it scores any caption against any references,
  /// from several threads at once.
  ///
  /// Words are numbers, for instance a vocabulary's; equal words need equal numbers, nothing more.
  public struct DocumentFrequencies: Sendable {
    let numbers: NGramNumbers
    /// ln(N / df) of each n-gram by its number.
    private let rarities: [Double]
    /// ln N: the rarity of n-grams that no reference has.
    private let mostRare: Double

    /// Counts the n-grams of `references`, each element those of one image.
    public init(_ references: some Sequence<[[Int32]]>) {
      var numbers = NGramNumbers()
      var documents = Documents()
      for captions in references {
        let counts = captions.map { numbers.add($0) }
        documents.add(counts, distinct: numbers.count)
      }
      self.init(documents, numbers)
    }

    /// From the samples' references, an image a document.
    init(_ samples: CountedSamples) {
      var documents = Documents()
      for captions in samples.references { documents.add(captions, distinct: samples.numbers.count) }
      self.init(documents, samples.numbers)
    }

    private init(_ documents: Documents, _ numbers: NGramNumbers) {
      let mostRare = log(Double(max(1, documents.count)))
      self.mostRare = mostRare
      self.numbers = numbers
      rarities = documents.frequencies.map { mostRare - log(Double($0)) }
    }

    /// Counts in how many images each n-gram is.
    private struct Documents {
      private(set) var count = 0
      private(set) var frequencies: [Int32] = []
      private var lastSeen: [Int] = []

      /// Adds an image's references; `distinct` n-grams have a number so far.
      mutating func add(_ references: [NGramCounts], distinct: Int) {
        count += 1
        if frequencies.count < distinct {
          frequencies += [Int32](repeating: 0, count: distinct - frequencies.count)
          lastSeen += [Int](repeating: 0, count: distinct - lastSeen.count)
        }
        for caption in references {
          for term in caption.terms where lastSeen[Int(term.number)] != count {
            lastSeen[Int(term.number)] = count
            frequencies[Int(term.number)] += 1
          }
        }
      }
    }

    /// What scoring needs of one image's references; worth keeping where many captions are held against them.
    public func vectors(_ references: [[Int32]]) -> References {
      References(vectors: references.map { vector(numbers.counts($0)) })
    }

    /// CIDEr-D of `candidate` against references whose vectors these frequencies made, 0…10; 0 if there are none.
    public func score(_ candidate: [Int32], _ references: References) -> Double {
      score(vector(numbers.counts(candidate)), references.vectors)
    }

    func score(_ candidate: Vector, _ references: [Vector]) -> Double {
      guard !references.isEmpty else { return 0 }
      var sum = SIMD4<Double>()
      for reference in references { sum += candidate.similarity(to: reference) }
      return sum.sum() / 4 / Double(references.count) * 10
    }

    func vector(_ counts: NGramCounts) -> Vector {
      Vector(counts) { $0 < rarities.count ? rarities[$0] : mostRare }
    }
  }

  /// The references of one image, ready to be held against.
  public struct References: Sendable {
    let vectors: [Vector]
  }

  /// A caption's n-grams weighted by their rarity.
  struct Vector: Sendable {
    struct Term {
      let number: Int32
      let order: Int8
      /// Count × rarity.
      let weight: Double
    }

    /// Sorted by number, each once.
    private let terms: [Term]
    /// The Euclidean norm of each order's weights.
    private let norms: SIMD4<Double>
    /// The length that pycocoevalcap compares: the number of pairs of words.
    private let length: Int

    init(_ counts: NGramCounts, rarity: (Int) -> Double) {
      var squares = SIMD4<Double>()
      terms = counts.terms.map { term in
        let weight = Double(term.count) * rarity(Int(term.number))
        squares[Int(term.order)] += weight * weight
        return Term(number: term.number, order: term.order, weight: weight)
      }
      norms = squares.squareRoot()
      length = max(0, counts.length - 1)
    }

    /// Cosine for each order, where no n-gram counts more often than `reference` has it, times a Gaussian of the
    /// difference in length.
    func similarity(to reference: Vector) -> SIMD4<Double> {
      var products = SIMD4<Double>()
      terms.withUnsafeBufferPointer { own in
        reference.terms.withUnsafeBufferPointer { other in
          var (i, j) = (0, 0)
          while i < own.count, j < other.count {
            let (a, b) = (own[i], other[j])
            if a.number == b.number {
              products[Int(a.order)] += min(a.weight, b.weight) * b.weight
            }
            if a.number <= b.number { i += 1 }
            if b.number <= a.number { j += 1 }
          }
        }
      }
      let scale = norms * reference.norms
      products.replace(with: products / scale, where: scale .> 0)
      let difference = Double(length - reference.length)
      return products * exp(-difference * difference / (2 * 6 * 6))
    }
  }
}
