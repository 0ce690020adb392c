public import Imaging
public import Kernels
internal import Support

/// How a captioning service runs.
public struct ServiceOptions: Sendable {
  /// The model's file.
  public var model: String
  /// The address that is listened on.
  public var host = "127.0.0.1"
  /// Its port; 0: any that is free.
  public var port = 8080
  /// Photos that go through the network together, at most.
  public var batchSize = 8
  /// How long a photo waits for others to share its batch; not after one that was alone all the while.
  public var batchDelay = Duration.milliseconds(5)
  /// Photos that may be on their way at once; requests beyond are told to come again.
  public var queue = 256
  /// Bytes of a request's body, at most.
  public var maximumBody = 32 << 20
  /// Photos of a request, at most.
  public var maximumImages = 64
  /// How long a request may take: for its body to come, and then for its answer.
  public var timeout = Duration.seconds(60)
  /// Connections at a time.
  public var maximumConnections = 512
  /// What requests must show as `Authorization: Bearer`; nil: nothing.
  public var token: String?
  /// Whether each request is told on standard error, a JSON object a line.
  public var logsAccess = true
  /// What the convolutions multiply.
  public var arithmetic = Arithmetic.float32
  /// How photos are read.
  public var reader = ImageReader()
  /// The program's version, as clients are told it.
  public var version = "0.1.0"

  /// The usual options.
  /// - Parameter model: the model's file.
  public init(model: String) { self.model = model }

  /// Bytes of all bodies that are held at once.
  var bodyMemory: Int { 8 * maximumBody }
}

/// Why a service can't run: one line for people.
public struct ServiceError: Error, Equatable, CustomStringConvertible {
  /// The line.
  public let description: String
}
