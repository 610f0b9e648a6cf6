/// Makes connections secure: the server's side of a handshake such as TLS's.
///
/// Called on the threads of connections, several at once.
public protocol StreamSecurity: AnyObject, Sendable {
    /// Shakes hands over `stream`, which nobody else sends to or receives from meanwhile or afterwards.
    ///
    /// Blocks, for `limit` at most. Changes the stream's ``ByteStream/limitWaiting(to:)``.
    ///
    /// - Returns: the secure connection. One thread both sends and receives through it.
    func secure(_ stream: any ByteStream, within limit: Duration) throws(SecurityFailure) -> any ByteStream
}

/// Why a handshake failed. The connection is of no more use.
public struct SecurityFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was wrong and what to do about it, for whoever runs the server.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}
