public import Blocks

/// Serves block devices over the NBD protocol.
///
/// One thread per connection and one per listener. Every method may be called from any thread; those that wait say
/// so, and are not for tasks. Once it listens it lives until ``stop(within:)``.
public final class NBDServer: Sendable {
    private let exports: any ExportTable
    private let connectionMax: Int
    private let report: @Sendable (String) -> Void
    private let registry = SessionRegistry()
    private let listeners = Guarded<[Place]>([])

    private struct Place {
        /// Of a unix socket.
        let path: String?
        let listener: Listener
        let thread: OSThread
    }

    /// Makes a server that listens nowhere yet.
    ///
    /// - Parameters:
    ///   - connectionMax: connections beyond so many are closed as soon as they are made.
    ///   - report: told, on the threads of connections, of clients that were turned away for want of encryption: one
    ///     line each, with what to do.
    public init(
        exports: any ExportTable, connectionMax: Int = 1024, report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.exports = exports
        self.connectionMax = connectionMax
        self.report = report
    }

    /// Starts to accept connections on a unix socket, made at `path` with mode 0600; a socket left there is replaced.
    /// Unencrypted without `tls`.
    ///
    /// - Parameter exports: what clients that come in there can reach, if that is not what all can. Its exports' names are
    ///   those that ``closeSessions(of:within:)`` takes, and a name that it stops answering for is taken away like any other.
    public func listen(
        unix path: String, tls: TLSOffer? = nil, exports: (any ExportTable)? = nil
    ) throws(ListenFailure) {
        accept(from: try Listener(unix: path), tls, exports ?? self.exports, at: path)
    }

    /// Accepts no more connections on a unix socket; those that there are go on. Blocks briefly. The file stays.
    public func stopListening(unix path: String) {
        let place = listeners.withLock { all in
            all.firstIndex { $0.path == path }.map { all.remove(at: $0) }
        }
        place?.listener.stop()
        place?.thread.join()
    }

    /// Starts to accept connections over TCP, unencrypted without `tls`.
    ///
    /// - Parameter exports: see ``listen(unix:tls:exports:)``.
    /// - Returns: the port, chosen by the system when `port` is 0.
    @discardableResult
    public func listen(
        host: String, port: UInt16, tls: TLSOffer? = nil, exports: (any ExportTable)? = nil
    ) throws(ListenFailure) -> UInt16 {
        let listener = try Listener(host: host, port: port)
        accept(from: listener, tls, exports ?? self.exports, at: nil)
        return listener.port
    }

    /// Serves a connection that is there already, on a thread of its own.
    ///
    /// - Returns: false when the server is stopping or full; the stream is shut down then.
    @discardableResult
    public func serve(_ stream: any ByteStream, tls: TLSOffer? = nil) -> Bool {
        serve(stream, tls, exports)
    }

    private func serve(_ stream: any ByteStream, _ tls: TLSOffer?, _ exports: any ExportTable) -> Bool {
        let session = Session(stream)
        guard registry.enter(session, limit: connectionMax) else {
            stream.shutdown()
            return false
        }
        let connection = Connection(
            session: session, registry: registry, exports: exports, tls: tls, peer: tls == nil ? "" : stream.peer,
            report: report)
        let thread = OSThread.ifPossible(name: "nbd") {
            connection.run()
            connection.registry.leave(session)
        }
        guard thread == nil else { return true }
        stream.shutdown()
        registry.leave(session)
        return false
    }

    /// How many sessions use the export of that name now.
    public func sessionCount(of name: String) -> Int { registry.count(of: name) }

    /// Ends every session of an export: requests in flight are finished and answered, then the connection closes.
    /// A client that does not take its answers within `limit` is cut off.
    ///
    /// Blocks until no session uses the device. First let the table answer nil for the name (see ``ExportTable``).
    public func closeSessions(of name: String, within limit: Duration = .seconds(5)) {
        registry.stop(name, within: limit)
        registry.forget(name)
    }

    /// What was asked of each export since it was published.
    public var traffic: [String: TrafficCounts] { registry.traffic }

    /// Stops listening, then ends every session like ``closeSessions(of:within:)``. Blocks until all threads are
    /// done. Socket files stay, so that clients find them again after a restart.
    public func stop(within limit: Duration = .seconds(5)) {
        let all = listeners.withLock { all in
            defer { all = [] }
            return all
        }
        for place in all { place.listener.stop() }
        for place in all { place.thread.join() }
        registry.stop(nil, within: limit)
    }

    private func accept(
        from listener: Listener, _ tls: TLSOffer?, _ exports: any ExportTable, at path: String?
    ) {
        let thread = OSThread(name: "nbd-accept") { [self] in
            while let stream = listener.accept() { _ = serve(stream, tls, exports) }
        }
        listeners.withLock { $0.append(Place(path: path, listener: listener, thread: thread)) }
    }
}
