import Testing

@testable import Reporting

@Suite struct ServicePageTests {
  @Test func thePageAsksItsOwnServiceAlone() {
    let html = ServicePage(model: "<b>&").html
    #expect(html.contains(#"accept="image/png,image/jpeg,"#) && html.contains("PNG, JPEG, "))
    #expect(html.contains("&lt;b&gt;&amp;") && !html.contains("<b>"))
    #expect(html.contains("default-src 'none'; img-src blob: data:;"))
    #expect(html.contains("; connect-src 'self'\">"))
    let addresses = html.replacing("http://www.w3.org/2000/svg", with: "")
    #expect(!addresses.contains("http:") && !addresses.contains("https:"))
    #expect(html.contains("aria-live=\"polite\"") && html.contains("<label for=\"files\""))
    #expect(!html.contains("innerHTML"))
  }
}
