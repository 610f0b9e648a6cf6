public import Blocks

/// Where volumes and snapshots are offered to clients. The NBD server is put behind this by whoever opens the house.
///
/// Called from any task. Names are ids: `vol-...`, `snap-...`.
public protocol ExportBoard: Sendable {
    /// Offers `device` under `name`; clients can connect when the call returns. A device that `isReadOnly` is offered
    /// read-only. Publishing a name again replaces it for new connections.
    func publish(_ name: String, device: any BlockDevice) async throws

    /// The same for a volume, which may have a place and a pace.
    func publish(_ offer: ExportOffer) async throws

    /// The path of that socket, or nil for a board without. The same after a restart.
    func socket(of place: ExportPlace) -> String?

    /// Takes the name away, and its socket. Returns when its connections are closed and no call on the device is running or will start.
    /// No error if the name is not there.
    func withdraw(_ name: String) async

    /// Was the name published, and not withdrawn since? False, unless the board tells.
    func isPublished(_ name: String) -> Bool

    /// The URI that clients on this host use for `name`. The same after a restart.
    func uri(of name: String) -> String

    /// The URI that clients on other hosts use for `name`, or nil when it is offered on this host only.
    func networkURI(of name: String) -> String?

    /// What was asked of each name since it was published. Nothing, unless the board counts.
    var traffic: [String: ExportTraffic] { get }
}

extension ExportBoard {
    /// A board without sockets for places that lets everything go as fast as it can.
    public func publish(_ offer: ExportOffer) async throws {
        try await publish(offer.name, device: offer.device)
    }
    /// False: a board that does not tell.
    public func isPublished(_ name: String) -> Bool { false }
    /// Nil.
    public func socket(of place: ExportPlace) -> String? { nil }

    /// Nil.
    public func networkURI(of name: String) -> String? { nil }

    /// A board that does not count.
    public var traffic: [String: ExportTraffic] { [:] }
}

/// A volume as it is offered.
public struct ExportOffer: Sendable {
    /// Its name: an id.
    public var name: String
    /// What is read and written.
    public var device: any BlockDevice
    /// Where it is reached without a name; nil: nowhere.
    public var place: ExportPlace?
    /// How fast it may be used, by all its clients together; nil: as fast as it can.
    public var pace: Pace?

    /// Makes one.
    public init(_ name: String, device: any BlockDevice, at place: ExportPlace? = nil, pace: Pace? = nil) {
        self.name = name
        self.device = device
        self.place = place
        self.pace = pace
    }
}

/// A disk's place on an instance, which its socket is named after.
public struct ExportPlace: Hashable, Sendable {
    /// `i-...`.
    public var instance: String
    /// `sdf`.
    public var device: String

    /// Makes one.
    public init(instance: String, device: String) {
        self.instance = instance
        self.device = device
    }
}

/// What clients asked of one export, and how long the answers took.
public struct ExportTraffic: Sendable {
    /// The counts of one kind of request.
    public struct Row: Sendable {
        /// `read`, `write`, `flush`, `discard` or `other`.
        public var kind: String
        /// Requests that were answered, and those among them that failed.
        public var requests: Int
        /// See `requests`.
        public var failures: Int
        /// Bytes of those that did not fail.
        public var bytes: Int
        /// Time that they took together.
        public var seconds: Double
        /// Requests by time, not yet summed up; one more than there are bounds.
        public var buckets: [Int]

        /// Makes one.
        public init(kind: String, requests: Int, failures: Int, bytes: Int, seconds: Double, buckets: [Int]) {
            self.kind = kind
            self.requests = requests
            self.failures = failures
            self.bytes = bytes
            self.seconds = seconds
            self.buckets = buckets
        }
    }
    /// Upper bounds of the buckets, in seconds, ascending.
    public var bounds: [Double]
    /// By kind.
    public var rows: [Row]
    /// Connections open now.
    public var connections: Int

    /// Makes one.
    public init(bounds: [Double], rows: [Row], connections: Int) {
        self.bounds = bounds
        self.rows = rows
        self.connections = connections
    }
}
