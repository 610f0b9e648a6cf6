internal import Blocks

/// Replies that wait to be sent together.
struct Outbox: ~Copyable {
    /// More than this is not kept back: it fills the socket, and stays in the processor's cache.
    static let batch = 256 << 10
    /// Where the first reply begins, so that its data begins at byte 64 or, of a simple reply, 52. Some processors (AMD's
    /// Zen 3) copy four times slower to a place that lies 1 to 31 bytes further into its page than the source does in its
    /// own, and data comes from files at multiples of 512: right behind a header at byte 0 it would lie just there.
    private static let origin = 36
    private var buffer = PageBuffer(count: Bounds.payloadMax + (1 << 20))
    private var end = Outbox.origin
    private var isStretched = false

    /// Room for `count` bytes, after sending what would make the batch too long.
    private mutating func makeRoom(_ count: Int, _ stream: any ByteStream) throws(StreamFailure) -> Range<Int> {
        if end > Self.origin, end - Self.origin + count > Self.batch { try send(to: stream) }
        precondition(end + count <= buffer.count)
        if count > Self.batch { isStretched = true }
        return end..<end + count
    }

    /// Appends what `body` writes into `count` bytes of room; it returns how many it used, 0 to append nothing.
    mutating func append<R>(
        atMost count: Int, to stream: any ByteStream, _ body: (inout MutableRawSpan) -> (used: Int, result: R)
    ) throws(StreamFailure) -> R {
        let room = try makeRoom(count, stream)
        let (used, result) = buffer.write(room) { body(&$0) }
        precondition(used <= count)
        end += used
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
        end += reply.byteCount
    }

    /// Sends everything.
    mutating func send(to stream: any ByteStream) throws(StreamFailure) {
        guard end > Self.origin else { return }
        try buffer.read(Self.origin..<end) { (bytes) throws(StreamFailure) in try stream.send(bytes) }
        end = Self.origin
        if isStretched { buffer.discard(from: Self.batch + 4096) }
        isStretched = false
    }
}
