internal import Blocks

/// Replies that wait to be sent together.
struct Outbox: ~Copyable {
    /// More than this is not kept back: it fills the socket, and stays in the processor's cache.
    static let batch = 256 << 10
    private var buffer = PageBuffer(count: Bounds.payloadMax + (1 << 20))
    private var used = 0
    private var isStretched = false

    /// Room for `count` bytes, after sending what would make the batch too long.
    private mutating func makeRoom(_ count: Int, _ stream: any ByteStream) throws(StreamFailure) -> Range<Int> {
        precondition(count <= buffer.count)
        if used > 0, used + count > Self.batch { try send(to: stream) }
        if count > Self.batch { isStretched = true }
        return used..<used + count
    }

    /// Appends what `body` writes into `count` bytes of room; it returns how many it used, 0 to append nothing.
    mutating func append<R>(
        atMost count: Int, to stream: any ByteStream, _ body: (inout MutableRawSpan) -> (used: Int, result: R)
    ) throws(StreamFailure) -> R {
        let room = try makeRoom(count, stream)
        let (used, result) = buffer.write(room) { body(&$0) }
        precondition(used <= count)
        self.used += used
        return result
    }

    /// Appends a whole reply, or sends it at once when it is long.
    mutating func append(_ reply: RawSpan, to stream: any ByteStream) throws(StreamFailure) {
        if reply.byteCount > Self.batch / 4 {
            try send(to: stream)
            return try stream.send(reply)
        }
        let room = try makeRoom(reply.byteCount, stream)
        buffer.write(room) { $0.copy(reply) }
        used += reply.byteCount
    }

    /// Sends everything.
    mutating func send(to stream: any ByteStream) throws(StreamFailure) {
        guard used > 0 else { return }
        try buffer.read(0..<used) { (bytes) throws(StreamFailure) in try stream.send(bytes) }
        used = 0
        if isStretched { buffer.discard(from: Self.batch) }
        isStretched = false
    }
}
