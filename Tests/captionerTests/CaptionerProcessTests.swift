import Foundation
import TestSupport
import Testing

@Suite struct CaptionerProcessTests {
  @Test func aCommandThatHangsFailsItsTest() throws {
    try withTemporaryFolder { folder in
      let process = try CaptionerProcess([], in: folder, shell: "echo begun; exec sleep 1000")
      var outcome: CaptionerProcess.Outcome?
      withKnownIssue { outcome = process.outcome(within: .seconds(1)) }
      #expect(outcome?.status == -SIGKILL && outcome?.output == "begun\n")
      #expect(!process.isRunning)
    }
  }

  /// More than a pipe holds, on both streams.
  @Test func longOutputsAreReadWhole() throws {
    try withTemporaryFolder { folder in
      let script = "head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero | tr '\\0' o"
      let outcome = try CaptionerProcess([], in: folder, shell: script).outcome()
      #expect(outcome.status == 0)
      #expect(outcome.output.utf8.count == 300_000 && outcome.errors.utf8.count == 300_000)
    }
  }
}
