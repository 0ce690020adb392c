import Testing

@testable import Reporting

@Suite struct ServicePageTests {
  @Test func thePageAsksItsOwnServiceAlone() {
    let html = ServicePage(model: "<b>&").html
    #expect(html.contains("&lt;b&gt;&amp;") && !html.contains("<b>"))
    #expect(html.contains("default-src 'none'; img-src blob: data:;") && html.contains("; connect-src 'self'\">"))
    #expect(
      !html.contains("http:") && !html.contains("https:") || html.contains("http://www.w3.org/2000/svg"))
    #expect(html.contains("aria-live=\"polite\"") && html.contains("<label for=\"files\""))
    #expect(!html.contains("innerHTML"))
  }
}
