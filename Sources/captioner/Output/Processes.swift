import ArgumentParser
import Foundation
import MPIProcesses
import Support

/// The processes that a command shares its work with: those that `mpirun` or `srun` started, where the program is built with
/// the trait MPI; else none.
enum Processes {
  /// Runs a command's work as one of them. What goes wrong in one ends them all, told in one line.
  static func share(_ body: (any ProcessGroup) throws -> Void) throws {
    #if MPI
      if MPIProcessGroup.isThere {
        try reportingErrors {
          let group = try MPIProcessGroup()
          try share(among: group, body)
          group.leave()
        }
        return
      }
    #endif
    try reportingErrors { try body(OneProcess()) }
  }

  private static func share(among group: any ProcessGroup, _ body: (any ProcessGroup) throws -> Void) throws {
    do { try reportingErrors(told: { tell($0, group) }) { try body(group) } } catch {
      let status = (error as? ExitCode)?.rawValue ?? 1
      fflush(nil)
      group.abort(status: status)
    }
  }

  /// What goes wrong in all of them is told by the first, which then ends the others: they leave it the time.
  private static func tell(_ line: String, _ group: any ProcessGroup) {
    if group.isFirst { return Console.complain(line) }
    sleep(2)
    Console.complain("rank \(group.rank): \(line)")
  }
}
