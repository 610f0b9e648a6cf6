internal import Blocks
internal import ControlPlane
internal import NBD

/// The control plane's exports, offered by the NBD server.
final class NBDBoard: ExportBoard {
    private let published = PublishedExports()
    private let server: NBDServer
    private let place: SocketPlace
    private let door = Guarded<NetworkDoor?>(nil)

    /// Makes a board that nobody can reach yet. `report` is told of clients that were turned away.
    init(at place: SocketPlace, report: @escaping @Sendable (String) -> Void) {
        self.place = place
        server = NBDServer(exports: published, report: report)
    }

    /// Starts to take connections. Call when the data directory is locked: an old socket is replaced.
    func listen() throws {
        if place.reason != nil { try LocalDisk().makeDirectory(String(place.path.dropLast("/nbd.sock".count))) }
        try server.listen(unix: place.path)
    }

    /// Starts to take connections over TCP as well. Returns the door with the port that it got.
    func listen(at wanted: NetworkDoor) throws -> NetworkDoor {
        var open = wanted
        open.port = try server.listen(host: wanted.host, port: wanted.port, tls: wanted.tls)
        let opened = open
        door.withLock { $0 = opened }
        return opened
    }

    /// Ends every connection once its requests are answered.
    func stop() async {
        await Blocking.run { [server] in server.stop() }
    }

    func publish(_ name: String, device: any BlockDevice) async throws {
        published.put(Export(name: name, device: device, isReadOnly: device.isReadOnly))
    }

    func withdraw(_ name: String) async {
        guard published.remove(name) else { return }
        await Blocking.run { [server] in server.closeSessions(of: name) }
    }

    func uri(of name: String) -> String { place.uri(of: name) }

    func networkURI(of name: String) -> String? { door.withLock { $0 }?.uri(of: name) }

    var traffic: [String: ExportTraffic] {
        let bounds = TrafficCounts.bounds.map { Double($0) / 1e9 }
        return server.traffic.mapValues { counts in
            let rows = TrafficCounts.Kind.allCases.compactMap { kind in
                counts.rows[kind].map { row in
                    ExportTraffic.Row(
                        kind: "\(kind)", requests: row.requests, failures: row.failures, bytes: row.bytes,
                        seconds: Double(row.nanoseconds) / 1e9, buckets: row.buckets)
                }
            }
            return ExportTraffic(bounds: bounds, rows: rows, connections: counts.connections)
        }
    }
}

/// Names and what they stand for.
private final class PublishedExports: ExportTable {
    private let exports = Guarded<[String: Export]>([:])

    func put(_ export: Export) { exports.withLock { $0[export.name] = export } }

    /// Was it there?
    func remove(_ name: String) -> Bool { exports.withLock { $0.removeValue(forKey: name) != nil } }

    func export(named name: String) -> Export? { exports.withLock { $0[name] } }

    func listing() -> [ExportListing] {
        let names = exports.withLock { Array($0.keys) }
        return names.sorted().map { ExportListing(name: $0) }
    }
}

/// Runs what blocks on a thread of its own, away from the pool of tasks.
enum Blocking {
    static func run(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            _ = OSThread(name: "varve-blocking") {
                body()
                done.resume()
            }
        }
    }
}
