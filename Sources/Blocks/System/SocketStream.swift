internal import CLinux
internal import Glibc

/// Why bytes could not be moved: the connection is of no more use.
public enum StreamFailure: Error, Equatable, Sendable {
    /// The other side is gone, or this side was shut down.
    case closed
    /// The time limit for one call passed (see ``SocketStream/limitWaiting(to:)``).
    case timedOut
    /// The kernel said `errno`.
    case io(errno: Int32)

    init(errno: Int32) {
        switch errno {
        case EPIPE, ECONNRESET, ENOTCONN: self = .closed
        case EAGAIN: self = .timedOut
        default: self = .io(errno: errno)
        }
    }
}

/// What a call to receive came to.
public enum Received: Equatable, Sendable {
    /// So many bytes, at least one.
    case bytes(Int)
    /// Nothing is there now (only when asked not to wait).
    case nothingYet
    /// The other side will send no more.
    case end
}

/// A connection that moves bytes both ways, in order.
///
/// One thread at a time may receive and one may send; ``shutdown()`` and ``shutdownReceiving()`` may come from any
/// other and wake them.
public protocol ByteStream: AnyObject, Sendable {
    /// Takes what has arrived: fills `first`, then `second`. With `wait`, waits until there is at least one byte.
    func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received
    /// Sends all of `bytes`, waiting as long as that takes.
    func send(_ bytes: RawSpan) throws(StreamFailure)
    /// Sends from a file's memory. Returns how many bytes went: fewer than all when the rest cannot be sent so.
    /// Only if ``sendsCachedParts``.
    func send(_ part: CachedPart) throws(StreamFailure) -> ByteCount
    /// Can ``send(_:)-(CachedPart)`` be called?
    var sendsCachedParts: Bool { get }
    /// Waits until something can be received (or the stream ended), or `signal` was raised.
    func waitToReceive(or signal: Signal) throws(StreamFailure)
    /// Lets the receiver find the end; sending goes on. What had arrived may still be received.
    func shutdownReceiving()
    /// Ends both directions.
    func shutdown()
    /// Lets a call that waits longer than `limit` fail with ``StreamFailure/timedOut``; nil takes the limit away.
    func limitWaiting(to limit: Duration?)
    /// Tells the other side, where the connection has words for that, that nothing more will be sent. Comes from the
    /// thread that sends; whether it arrives does not matter.
    func endSending()
    /// Who is at the other end, for logs: "10.0.0.7:40123".
    var peer: String { get }
}

extension ByteStream {
    /// Nothing: not every connection has words for it.
    public func endSending() {}
    /// "a local client".
    public var peer: String { "a local client" }
    /// False.
    public var sendsCachedParts: Bool { false }
    /// Never called.
    public func send(_ part: CachedPart) throws(StreamFailure) -> ByteCount { preconditionFailure("not offered") }
}

/// A connected stream socket. Closed when the last reference goes.
public final class SocketStream: ByteStream {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Connects to a unix socket.
    public init(connectedTo path: String) throws(StreamFailure) {
        let number = unsafe varve_socket_unix_connect(path)
        if number < 0 { throw StreamFailure(errno: -number) }
        descriptor = OwnedDescriptor(number)
    }

    /// recvmsg(2).
    public func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received {
        precondition(first.byteCount + second.byteCount > 0, "no room to receive into")
        let moved = unsafe first.withUnsafeMutableBytes { a in
            unsafe second.withUnsafeMutableBytes { b in
                descriptor.call {
                    unsafe varve_recv_two($0, a.baseAddress, a.count, b.baseAddress, b.count, wait ? 1 : 0)
                }
            }
        }
        if moved > 0 { return .bytes(moved) }
        if moved == 0 { return .end }
        if !wait, moved == -Int(EAGAIN) { return .nothingYet }
        throw StreamFailure(errno: Int32(-moved))
    }

    /// sendmsg(2), again until nothing is left.
    public func send(_ bytes: RawSpan) throws(StreamFailure) {
        let failure = unsafe bytes.withUnsafeBytes { all -> Int in
            var done = 0
            while done < all.count {
                let moved = descriptor.call {
                    unsafe varve_send_one($0, all.baseAddress.unsafelyUnwrapped + done, all.count - done)
                }
                if moved < 0 { return moved }
                done += moved
            }
            return 0
        }
        if failure < 0 { throw StreamFailure(errno: Int32(-failure)) }
    }

    /// True.
    public var sendsCachedParts: Bool { true }

    /// sendfile(2), again until nothing is left. What is wrong with the file, or that its file system cannot do it, is for
    /// whoever reads it otherwise to find out.
    public func send(_ part: CachedPart) throws(StreamFailure) -> ByteCount {
        var done = 0
        while done < part.count.bytes {
            let moved = descriptor.call {
                part.file.send(part.count.bytes - done, from: part.start + ByteCount(done), to: $0)
            }
            if moved <= 0 {
                let failure = StreamFailure(errno: Int32(-moved))
                if case .io = failure { break }
                throw failure
            }
            done += moved
        }
        return ByteCount(done)
    }

    /// poll(2).
    public func waitToReceive(or signal: Signal) throws(StreamFailure) {
        let status = descriptor.call { varve_wait_two($0, signal.bare) }
        if status < 0 { throw StreamFailure(errno: -status) }
    }

    /// SO_RCVTIMEO and SO_SNDTIMEO.
    public func limitWaiting(to limit: Duration?) {
        let (seconds, attoseconds) = (limit ?? .zero).components
        varve_socket_timeout(descriptor.bare, seconds, attoseconds / 1_000_000_000_000)
    }

    /// Asks the kernel for so much room in each direction. It may give less.
    public func setBuffers(_ size: ByteCount) { varve_socket_buffers(descriptor.bare, Int32(clamping: size.bytes)) }

    /// Asks the kernel for so much room for what the other side has not taken yet. It may give less.
    public func setSendBuffer(_ size: ByteCount) {
        varve_socket_send_buffer(descriptor.bare, Int32(clamping: size.bytes))
    }

    /// getpeername(2).
    public var peer: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 80) { text in
            guard let start = text.baseAddress, unsafe varve_socket_peer(descriptor.bare, start, 80) == 0,
                unsafe start.pointee != 0
            else { return "a local client" }
            return unsafe String(cString: start)
        }
    }

    /// shutdown(SHUT_RD).
    public func shutdownReceiving() { varve_shutdown_receiving(descriptor.bare) }
    /// shutdown(SHUT_RDWR).
    public func shutdown() { varve_shutdown(descriptor.bare) }
}

/// A flag that one thread raises and another, perhaps asleep in ``ByteStream/waitToReceive(or:)``, lowers.
public final class Signal: Sendable {
    private let descriptor: OwnedDescriptor

    /// A lowered signal.
    public init() {
        let number = varve_eventfd()
        precondition(number >= 0, "cannot make an eventfd: \(ErrnoText.of(-number))")
        descriptor = OwnedDescriptor(number)
    }

    var bare: Int32 { descriptor.bare }

    /// Raises it and wakes who waits for it.
    public func raise() { varve_eventfd_raise(descriptor.bare) }
    /// Waits until it is raised.
    public func wait() {
        _ = descriptor.call { varve_wait_two($0, -1) }
    }
    /// Lowers it. What was raised before is seen by the caller afterwards.
    public func lower() { varve_eventfd_lower(descriptor.bare) }
}
