internal import Blocks

/// Bytes that arrived and were not dealt with yet.
struct Inbox: ~Copyable {
    private var buffer: PageBuffer
    private var start = 0
    private var end = 0

    /// `capacity`: a multiple of 4096; the longest request that fits whole.
    init(capacity: Int) { buffer = PageBuffer(count: capacity) }

    var capacity: Int { buffer.count }
    var count: Int { end - start }

    /// What the next bytes are.
    enum Next {
        /// Not a whole header yet.
        case incomplete
        /// No request: the client and we are out of step.
        case garbage
        case request(Request)
    }

    func next() -> Next {
        guard count >= Request.size else { return .incomplete }
        return buffer.read(start..<start + Request.size) { bytes in
            if let request = Request(bytes) { .request(request) } else { .garbage }
        }
    }

    /// Shows the first `count` bytes after the next request's header.
    func readPayload<R, E: Error>(_ count: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        precondition(self.count >= Request.size + count)
        let first = start + Request.size
        return try buffer.read(first..<first + count, body)
    }

    /// Forgets the first `count` bytes.
    mutating func drop(_ count: Int) {
        precondition(count <= self.count)
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    /// Moves up to `count` of the first bytes to `target`; returns how many there were.
    mutating func take(_ count: Int, into target: inout PageBuffer) -> Int {
        let taken = min(count, self.count)
        guard taken > 0 else { return 0 }
        target.write(0..<taken) { target in buffer.read(start..<start + taken) { target.copy($0) } }
        drop(taken)
        return taken
    }

    /// Puts bytes at the end. There must be room.
    mutating func append(_ bytes: [UInt8]) {
        makeRoom()
        precondition(bytes.count <= buffer.count - end)
        buffer.write(end..<end + bytes.count) { target in bytes.readBytes { target.copy($0) } }
        end += bytes.count
    }

    /// Receives as much as fits.
    mutating func fill(from stream: any ByteStream, wait: Bool) throws(StreamFailure) -> Received {
        makeRoom()
        precondition(end < buffer.count, "a request that fits must have been dealt with")
        let received = try buffer.write(end..<buffer.count) { (room) throws(StreamFailure) in
            var none = MutableRawSpan()
            return try stream.receive(into: &room, then: &none, wait: wait)
        }
        if case .bytes(let count) = received { end += count }
        return received
    }

    /// Receives into `target`, and one header's worth of what follows into the (empty) inbox.
    mutating func fill(
        _ target: inout PageBuffer, _ range: Range<Int>, from stream: any ByteStream, wait: Bool
    ) throws(StreamFailure) -> Received {
        precondition(count == 0)
        let received = try target.write(range) { (first) throws(StreamFailure) in
            try buffer.write(0..<Request.size) { (second) throws(StreamFailure) in
                try stream.receive(into: &first, then: &second, wait: wait)
            }
        }
        guard case .bytes(let count) = received else { return received }
        end = max(0, count - range.count)
        return .bytes(min(count, range.count))
    }

    /// Moves what is left (part of one request) to the front once less than half of the room is behind it.
    private mutating func makeRoom() {
        guard start > 0, buffer.count - end < buffer.count / 2 else { return }
        buffer.move(start..<end, to: 0)
        (start, end) = (0, end - start)
    }
}
