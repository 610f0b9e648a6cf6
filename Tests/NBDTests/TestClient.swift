import Blocks
import NBD
import Testing

@testable import NBD
@testable import TLS

/// A client over a real socket, blocking, for one thread.
final class TestClient {
    private(set) var stream: any ByteStream
    private var buffered: [UInt8] = []
    private var reads: [UInt64: Int] = [:]
    private var partial: [UInt64: Reply] = [:]

    /// Connects and negotiates, over TLS when there is a context for it.
    init(
        _ path: String, export: String = "disk", structured: Bool = true, contexts: [String] = [],
        tls: TLSContext? = nil
    ) throws {
        stream = try SocketStream(connectedTo: path)
        stream.limitWaiting(to: .seconds(20))
        try send(Say.flags())
        _ = try take(18)
        if let tls {
            try send(Say.option(.startTLS))
            guard try answers().last?.type == 1 else { throw Refused() }
            stream = try TestTLS.connect(tls, over: stream)
        }
        if structured {
            try send(Say.option(.structuredReply))
            _ = try answers()
            if !contexts.isEmpty {
                try send(Say.contexts(export, contexts))
                _ = try answers()
            }
        }
        try send(Say.go(export))
        guard try answers().last?.type == 1 else { throw Refused() }
    }

    struct Refused: Error {}
    struct Ended: Error {}

    func send(_ bytes: [UInt8]) throws {
        try bytes.readBytes { (bytes) throws(StreamFailure) in try stream.send(bytes) }
    }

    /// Sends a request whose answer, if it is a simple reply to a read, carries `length` bytes.
    func request(_ command: Command, _ flags: CommandFlags = [], cookie: UInt64, offset: Int = 0, length: Int = 0)
        throws
    {
        reads[cookie] = command == .read ? length : nil
        try send(Say.request(command, flags, cookie: cookie, offset: offset, length: length))
    }

    /// The next reply that is complete, with its cookie.
    func reply() throws -> (cookie: UInt64, reply: Reply) {
        while true {
            if let (cookie, used, isLast) = try ReplyParser.next(buffered[...], reads: reads, into: &partial) {
                buffered.removeFirst(used)
                if isLast, let reply = partial.removeValue(forKey: cookie) { return (cookie, reply) }
            } else {
                try receive()
            }
        }
    }

    /// One request, one reply.
    func ask(_ command: Command, _ flags: CommandFlags = [], offset: Int = 0, length: Int = 0) throws -> Reply {
        try request(command, flags, cookie: 42, offset: offset, length: length)
        return try reply().reply
    }
    func write(_ bytes: [UInt8], at offset: Int, _ flags: CommandFlags = []) throws -> Reply {
        try send(Say.write(bytes, at: offset, flags, cookie: 43))
        return try reply().reply
    }

    /// True when the server has closed the connection, after whatever it still sent.
    func isAtEnd() -> Bool {
        do {
            while true { try receive() }
        } catch { return error is Ended || error as? StreamFailure == .closed }
    }

    private func answers() throws -> [OptionAnswer] {
        var found: [OptionAnswer] = []
        while true {
            let header = try take(20)
            let count = header[16...].reduce(0) { $0 << 8 | Int($1) }
            found += try OptionAnswer.parse((header + take(count))[...])
            if let type = found.last?.type, type == 1 || type >= 1 << 31 { return found }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffered.count < count { try receive() }
        defer { buffered.removeFirst(count) }
        return Array(buffered.prefix(count))
    }

    private func receive() throws {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let received = try piece.writeBytes { (span) throws(StreamFailure) in
            var none = MutableRawSpan()
            return try stream.receive(into: &span, then: &none, wait: true)
        }
        guard case .bytes(let count) = received else { throw Ended() }
        buffered += piece.prefix(count)
    }
}

/// A device whose first block waits for a gate, as a store far away would; the rest is at hand.
final class GatedDevice: BlockDevice {
    private struct State {
        var isOpen = false
        var waitingCount = 0
        var flushWaits = false
    }
    let base: MemoryDevice
    private let state = Guarded(State())

    init(_ base: MemoryDevice) { self.base = base }

    var size: ByteCount { base.size }
    var isReadOnly: Bool { false }
    /// How many calls wait at the gate.
    var waitingCount: Int { state.withLock { $0.waitingCount } }
    func open() { state.change { $0.isOpen = true } }
    func letFlushesWait() { state.withLock { $0.flushWaits = true } }

    private func pass(_ range: ByteRange) {
        if range.start < 4096 { pass() }
    }
    private func pass() {
        state.withLock { $0.waitingCount += 1 }
        state.wait { $0.isOpen ? () : nil }
        state.withLock { $0.waitingCount -= 1 }
    }
    func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        pass(range)
        try base.read(range, into: &target)
    }
    func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        guard range.start >= 4096 else { return false }
        try base.read(range, into: &target)
        return true
    }
    func mayWaitToWrite(_ range: ByteRange) -> Bool { range.start < 4096 }
    func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) {
        pass(range)
        try base.write(range, from: source, durably: durably)
    }
    func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) {
        pass(range)
        try base.zero(range, mayPunch: mayPunch, durably: durably)
    }
    func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) {
        pass(range)
        try base.trim(range, durably: durably)
    }
    func flush() throws(BlockFailure) {
        if state.withLock({ $0.flushWaits }) { pass() }
        try base.flush()
    }
    func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] { try base.allocation(in: range) }
}
