import Foundation
import Support

@testable import WebPages

extension ForeignReader {
  /// HTML pages whose images get texts.
  static let pages = ForeignReader(
    name: "pages",
    words: [
      "<img ", "src=", "alt=", "<!--", "-->", "--!>", "<script>", "</script>", "<style>", "</style>",
      "<title>", "</title>",
      "\"", "'", ">", "/", "&amp;", "&#x41;", "%20", "<plaintext>", "</p>", "<!DOCTYPE html>",
    ],
    seeds: {
      [
        #"<!DOCTYPE html><title>a</title><p><img src="a.png"><img src='/b%20c.png' alt="">"#,
        #"<script><!-- <script> </script> --></script><style>a{}</style><img src=a&amp;b class="x">"#,
      ].map { Array($0.utf8) }
    },
    read: { bytes, _ in
      let page = PageImages(Array(bytes))
      let images = page.images
      guard page.filled(images.map { _ in nil }).elementsEqual(bytes) else { throw Wrong("the page changed") }
      for source in images.compactMap(\.source) { _ = PictureAddress(source) }
      let filled = PageImages(page.filled(images.map { _ in "a \"text\" > é" }))
      guard filled.images.map(\.source) == images.map(\.source), filled.images.allSatisfy(\.hasAlt) else {
        throw Wrong("expected \(images.count) images with alt, found \(filled.images)")
      }
    })
}
