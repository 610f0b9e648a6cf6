internal import Blocks
internal import ControlPlane
internal import NBD

/// The control plane's exports, offered by the NBD server.
final class NBDBoard: ExportBoard {
    private let published = PublishedExports()
    private let server: NBDServer
    private let place: SocketPlace
    private let door = Guarded<NetworkDoor?>(nil)
    private let sockets = Guarded(DeviceSockets())

    /// Sockets of one disk each, by its name. Before the board listens they wait.
    private struct DeviceSockets {
        var isOpen = false
        var paths: [String: String] = [:]
    }

    /// Makes a board that nobody can reach yet. `report` is told of clients that were turned away.
    init(at place: SocketPlace, report: @escaping @Sendable (String) -> Void) {
        self.place = place
        server = NBDServer(exports: published, report: report)
    }

    /// Starts to take connections. Call when the data directory is locked: an old socket is replaced.
    func listen() throws {
        if place.reason != nil { try LocalDisk().makeDirectory(String(place.path.dropLast("/nbd.sock".count))) }
        try server.listen(unix: place.path)
        let waiting = sockets.withLock { sockets in
            sockets.isOpen = true
            return sockets.paths
        }
        for (name, path) in waiting { try open(path, for: name) }
    }

    private func open(_ path: String, for name: String) throws {
        guard let end = path.lastIndex(of: "/") else { preconditionFailure("the path of a socket is whole") }
        try LocalDisk().makeDirectory(String(path[..<end]))
        try server.listen(unix: path, exports: OneExport(name, of: published))
    }

    /// Starts to take connections over TCP as well. Returns the door with the port that it got.
    func listen(at wanted: NetworkDoor) throws -> NetworkDoor {
        var open = wanted
        // Who may come in from another host may still be another account's: only ids that somebody told them are good for anything.
        open.port = try server.listen(
            host: wanted.host, port: wanted.port, tls: wanted.tls, exports: Unlisted(published))
        let opened = open
        door.withLock { $0 = opened }
        return opened
    }

    /// Ends every connection once its requests are answered.
    func stop() async {
        await Blocking.run { [server] in server.stop() }
    }

    func publish(_ name: String, device: any BlockDevice) async throws {
        try await publish(ExportOffer(name, device: device))
    }

    func publish(_ offer: ExportOffer) async throws {
        let (name, device) = (offer.name, offer.device)
        published.put(Export(name: name, device: device, isReadOnly: device.isReadOnly, pace: offer.pace))
        guard let wanted = offer.place, let path = socket(of: wanted) else { return }
        let isOpen = sockets.withLock { sockets in
            sockets.paths[name] = path
            return sockets.isOpen
        }
        guard isOpen else { return }
        do { try open(path, for: name) } catch {
            await withdraw(name)
            throw error
        }
    }

    func withdraw(_ name: String) async {
        let path = sockets.withLock { $0.paths.removeValue(forKey: name) }
        // First nobody finds it any more, then those who have are sent away.
        guard published.remove(name) else { return }
        await Blocking.run { [server] in
            if let path {
                server.stopListening(unix: path)
                try? LocalDisk().remove(path)
            }
            server.closeSessions(of: name)
        }
    }

    func isPublished(_ name: String) -> Bool { published.export(named: name) != nil }
    func socket(of wanted: ExportPlace) -> String? { place.path(of: wanted) }

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

/// All exports for those who know a name, and a list of none.
private final class Unlisted: ExportTable {
    private let all: PublishedExports

    init(_ all: PublishedExports) { self.all = all }

    func export(named name: String) -> Export? { name.isEmpty ? nil : all.export(named: name) }

    func listing() -> [ExportListing] { [] }
}

/// One of all exports, for whoever asks for it or for none by name.
private final class OneExport: ExportTable {
    private let name: String
    private let all: PublishedExports

    init(_ name: String, of all: PublishedExports) {
        self.name = name
        self.all = all
    }

    func export(named asked: String) -> Export? { asked.isEmpty || asked == name ? all.export(named: name) : nil }

    func listing() -> [ExportListing] { [ExportListing(name: name)] }
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
