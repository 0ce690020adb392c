internal import Foundation

extension CIDEr {
  /// In how many images' references each n-gram is: made once for a set, it scores any caption against any references,
  /// from several threads at once.
  ///
  /// Words are numbers, for instance a vocabulary's; equal words need equal numbers, nothing more.
  public struct DocumentFrequencies: Sendable {
    private var numbers = NGramNumbers()
    /// ln(N / df) of each n-gram by its number.
    private var rarities: [Double] = []
    /// ln N: the rarity of n-grams that no reference has.
    private let mostRare: Double

    /// Counts the n-grams of `references`, each element those of one image.
    public init(_ references: some Sequence<[[Int32]]>) {
      var documents = 0
      var frequencies: [Int32] = []
      var lastSeen: [Int] = []
      for captions in references {
        documents += 1
        for caption in captions {
          numbers.add(caption) { term in
            let place = Int(term.number)
            if place == frequencies.count {
              frequencies.append(1)
              lastSeen.append(documents)
            } else if lastSeen[place] != documents {
              frequencies[place] += 1
              lastSeen[place] = documents
            }
          }
        }
      }
      let mostRare = log(Double(max(1, documents)))
      self.mostRare = mostRare
      rarities = frequencies.map { mostRare - log(Double($0)) }
    }

    /// What scoring needs of one image's references; worth keeping where many captions are held against them.
    public func vectors(_ references: [[Int32]]) -> References {
      References(vectors: references.map(vector))
    }

    /// CIDEr-D of `candidate` against references whose vectors these frequencies made; 0 if there are none.
    public func score(_ candidate: [Int32], _ references: References) -> Double {
      guard !references.vectors.isEmpty else { return 0 }
      let candidate = vector(candidate)
      var sum = SIMD4<Double>()
      for reference in references.vectors { sum += candidate.similarity(to: reference) }
      return sum.sum() / 4 / Double(references.vectors.count) * 10
    }

    private func vector(_ words: [Int32]) -> Vector {
      let terms = numbers.terms(words).sorted { $0.number < $1.number }
      var vector = Vector(length: max(0, words.count - 1))
      vector.terms.reserveCapacity(terms.count)
      var start = 0
      while start < terms.count {
        let term = terms[start]
        var end = start + 1
        while end < terms.count, terms[end].number == term.number { end += 1 }
        let place = Int(term.number)
        let weight = Double(end - start) * (place < rarities.count ? rarities[place] : mostRare)
        vector.terms.append(.init(number: term.number, order: Int32(term.order), weight: weight))
        vector.norms[term.order] += weight * weight
        start = end
      }
      vector.norms = vector.norms.squareRoot()
      return vector
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
      let order: Int32
      /// Count × rarity.
      let weight: Double
    }

    /// Sorted by number, each once.
    var terms: [Term] = []
    /// The Euclidean norm of each order's weights.
    var norms = SIMD4<Double>()
    /// The length that pycocoevalcap compares: the number of pairs of words.
    let length: Int

    init(length: Int) { self.length = length }

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
