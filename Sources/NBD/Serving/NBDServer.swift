public import Blocks

/// Serves block devices over the NBD protocol.
///
/// One thread per connection and one per listener. Every method may be called from any thread; those that wait say
/// so, and are not for tasks.
public final class NBDServer: Sendable {
    private let exports: any ExportTable

    /// Makes a server that listens nowhere yet.
    public init(exports: any ExportTable) {
        self.exports = exports
    }

    /// Starts to accept connections on a unix socket, made at `path` with mode 0600; a socket left there is replaced.
    public func listen(unix path: String) throws(ListenFailure) {
        throw ListenFailure(errno: 95, address: path)
    }

    /// Starts to accept connections over TCP, unencrypted.
    ///
    /// - Returns: the port, chosen by the system when `port` is 0.
    @discardableResult
    public func listen(host: String, port: UInt16) throws(ListenFailure) -> UInt16 {
        throw ListenFailure(errno: 95, address: "\(host):\(port)")
    }

    /// How many sessions use the export of that name now.
    public func sessionCount(of name: String) -> Int { 0 }

    /// Ends every session of an export: requests in flight are finished and answered, then the connection closes.
    /// A client that does not take its answers within `limit` is cut off.
    ///
    /// Blocks until no session uses the device. First let the table answer nil for the name (see ``ExportTable``).
    public func closeSessions(of name: String, within limit: Duration = .seconds(5)) {}

    /// Stops listening, then ends every session like ``closeSessions(of:within:)``. Blocks until all threads are
    /// done. Socket files stay, so that clients find them again after a restart.
    public func stop(within limit: Duration = .seconds(5)) {}
}
