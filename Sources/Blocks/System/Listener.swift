internal import CLinux
internal import Glibc

/// Why a server could not listen: the address and the kernel's reason.
public struct ListenFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel's error number.
    public let errno: Int32
    /// The path, or host and port.
    public let address: String

    /// Makes a failure.
    public init(errno: Int32, address: String) {
        self.errno = errno
        self.address = address
    }

    /// "cannot listen on /x/y: Address already in use".
    public var description: String { "cannot listen on \(address): \(ErrnoText.of(errno))" }
}

/// A socket that takes connections: a unix path or a TCP address.
///
/// ``accept()`` is for one thread; ``stop()`` may come from any other.
public final class Listener: Sendable {
    private let descriptor: OwnedDescriptor
    /// The TCP port, 0 for a unix socket.
    public let port: UInt16

    /// Listens on a unix socket, mode 0600. A socket file left at `path` is replaced; any other file is an error.
    public init(unix path: String) throws(ListenFailure) {
        let number = unsafe varve_socket_unix_listen(path, Self.backlog)
        if number < 0 { throw ListenFailure(errno: -number, address: path) }
        descriptor = OwnedDescriptor(number)
        port = 0
    }

    /// Listens on a TCP address. Port 0 lets the system choose; see ``port``.
    public init(host: String, port: UInt16) throws(ListenFailure) {
        var bound: UInt16 = 0
        let number = unsafe varve_socket_tcp_listen(host, port, Self.backlog, &bound)
        if number < 0 { throw ListenFailure(errno: -number, address: "\(host):\(port)") }
        descriptor = OwnedDescriptor(number)
        self.port = bound
    }

    private static let backlog: Int32 = 128
    private static let sendBuffer = ByteCount.mebibytes(1)

    /// Waits for the next connection.
    ///
    /// - Returns: nil once ``stop()`` was called.
    public func accept() -> SocketStream? {
        while true {
            let number = descriptor.call { varve_accept($0) }
            if number >= 0 {
                let stream = SocketStream(OwnedDescriptor(number))
                // TCP finds its own measure; a unix socket has only what it is given.
                if port == 0 { stream.setSendBuffer(Self.sendBuffer) }
                return stream
            }
            // A connection that went away while it queued is no reason to stop; too many open files passes.
            switch -number {
            case ECONNABORTED, EPROTO, EPERM: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: SystemClock().sleep(.milliseconds(50))
            default: return nil
            }
        }
    }

    /// Wakes ``accept()`` for good. Connections taken before are not affected.
    public func stop() { varve_shutdown(descriptor.bare) }
}
