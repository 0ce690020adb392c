import Testing

@testable import Support

/// A clock that is moved by hand, and what was said.
private final class Stage {
  var now = 0.0
  var said: [String] = []

  func progress(interactive: Bool) -> ProgressLine {
    ProgressLine(
      "encoding", total: 1000, unit: "images", interactive: interactive, clock: { self.now },
      sink: { self.said.append($0) })
  }
}

@Test func aLineEveryTenSecondsOffTerminal() {
  let stage = Stage()
  var progress = stage.progress(interactive: false)
  for step in 0...25 {
    stage.now = Double(step)
    progress.update(10 * step)
  }
  #expect(
    stage.said == [
      "encoding: 100 of 1000 images (10 %), 10 a second, 1 min 30 s left\n",
      "encoding: 200 of 1000 images (20 %), 10 a second, 1 min 20 s left\n",
    ])
  progress.finish(250)
  #expect(stage.said.last == "encoding: 250 images in 25 s, 10 a second\n")
}

@Test func theLineIsRedrawnOnATerminal() {
  let stage = Stage()
  var progress = stage.progress(interactive: true)
  for quarter in 0...6 {
    stage.now = Double(quarter) / 4
    progress.update(quarter, note: "loss 3.10")
  }
  #expect(stage.said.count == 3)
  #expect(
    stage.said.allSatisfy { $0.hasPrefix("\r\u{1B}[K") && !$0.contains("\n") && $0.hasSuffix(", loss 3.10") })
  progress.finish(14)
  #expect(stage.said[3] == "\r\u{1B}[K" && stage.said[4].hasSuffix("\n"))
}

@Test func shortJobsAreSilent() {
  let stage = Stage()
  var progress = stage.progress(interactive: true)
  stage.now = 0.9
  progress.update(500)
  progress.finish(1000)
  #expect(stage.said == [])
}

@Test(arguments: [
  (0.0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (3600, "1 h 00 min"),
  (7849, "2 h 10 min"),
  (-5, "0 s"), (.infinity, "277777 h 46 min"),
])
func durationsAreForPeople(seconds: Double, text: String) { #expect(ProgressLine.duration(seconds) == text) }

@Test func aDumbTerminalIsNotRedrawn() {
  #expect(ProgressLine.canRedraw("xterm-256color"))
  #expect(!ProgressLine.canRedraw("dumb") && !ProgressLine.canRedraw(nil))
}
