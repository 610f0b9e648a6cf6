internal import Blocks

/// Encodes replies into a buffer.
///
///     simple:      magic:32 error:32 cookie:64, then the data of a successful read
///     structured:  magic:32 flags:16 type:16 cookie:64 length:32, then `length` bytes
struct ReplyEncoder {
    let isStructured: Bool

    static let simpleSize = 16
    static let chunkSize = 20
    /// No reply without data is longer.
    static let sizeMax = 128

    /// What precedes the data of a read.
    var readHeaderSize: Int { isStructured ? Self.chunkSize + 8 : Self.simpleSize }

    /// Success without data. Returns how many bytes it took.
    func success(_ cookie: UInt64, into target: inout MutableRawSpan) -> Int {
        guard isStructured else { return simple(cookie, error: 0, into: &target) }
        return chunk(cookie, ChunkType.none, length: 0, into: &target)
    }

    /// An error, in words too where the reply has room for them. Returns how many bytes it took.
    func failure(
        _ cookie: UInt64, _ error: NBDError, _ reason: StaticReason, into target: inout MutableRawSpan
    ) -> Int {
        guard isStructured else { return simple(cookie, error: error.rawValue, into: &target) }
        let text = reason.rawValue.utf8
        var end = chunk(cookie, ChunkType.error, length: 6 + text.count, into: &target)
        target.store(big: error.rawValue, at: end)
        target.store(big: UInt16(text.count), at: end + 4)
        end += 6
        for byte in text {
            target.store(big: byte, at: end)
            end += 1
        }
        return end
    }

    /// What precedes the data of a successful read of a non-empty `range`: ``readHeaderSize`` bytes.
    /// `isLast`: no other chunk of the reply follows the data; only a structured reply can have one.
    func data(_ cookie: UInt64, _ range: ByteRange, isLast: Bool = true, into target: inout MutableRawSpan) -> Int {
        precondition(isLast || isStructured)
        guard isStructured else { return simple(cookie, error: 0, into: &target) }
        let end = chunk(cookie, ChunkType.offsetData, length: 8 + range.count.bytes, isLast: isLast, into: &target)
        target.store(big: UInt64(range.start.bytes), at: end)
        return end + 8
    }

    /// A whole read that is all zeros, without sending them.
    func hole(_ cookie: UInt64, _ range: ByteRange, into target: inout MutableRawSpan) -> Int {
        precondition(isStructured && !range.isEmpty)
        let end = chunk(cookie, ChunkType.offsetHole, length: 12, into: &target)
        target.store(big: UInt64(range.start.bytes), at: end)
        target.store(big: UInt32(range.count.bytes), at: end + 8)
        return end + 12
    }

    /// The extents of one context; the last context's chunk ends the reply.
    func status(_ cookie: UInt64, context: UInt32, _ extents: [Descriptor], isLast: Bool) -> [UInt8] {
        precondition(isStructured && !extents.isEmpty)
        var bytes: [UInt8] = []
        bytes.append(big: Magic.structuredReply)
        bytes.append(big: isLast ? ChunkType.done : 0)
        bytes.append(big: ChunkType.blockStatus)
        bytes.append(big: cookie)
        bytes.append(big: UInt32(4 + 8 * extents.count))
        bytes.append(big: context)
        for extent in extents {
            bytes.append(big: extent.length)
            bytes.append(big: extent.state)
        }
        return bytes
    }

    /// One run in an answer to BLOCK_STATUS.
    struct Descriptor: Equatable {
        var length: UInt32
        var state: UInt32
    }

    private func simple(_ cookie: UInt64, error: UInt32, into target: inout MutableRawSpan) -> Int {
        target.store(big: Magic.simpleReply, at: 0)
        target.store(big: error, at: 4)
        target.store(big: cookie, at: 8)
        return Self.simpleSize
    }

    private func chunk(
        _ cookie: UInt64, _ type: UInt16, length: Int, isLast: Bool = true, into target: inout MutableRawSpan
    ) -> Int {
        target.store(big: Magic.structuredReply, at: 0)
        target.store(big: isLast ? ChunkType.done : 0, at: 4)
        target.store(big: type, at: 6)
        target.store(big: cookie, at: 8)
        target.store(big: UInt32(length), at: 16)
        return Self.chunkSize
    }
}

extension NBDError {
    /// The number for a device's failure. `isWrite`: past the end means no space rather than a bad request.
    init(_ failure: BlockFailure, isWrite: Bool) {
        switch failure {
        case .outOfRange: self = isWrite ? .noSpace : .invalid
        case .readOnly: self = .notPermitted
        case .noSpace: self = .noSpace
        case .io(let errno): self = errno == 27 ? .noSpace : .io  // EFBIG
        case .unsupported: self = isWrite ? .notSupported : .invalid
        case .corrupt, .unavailable, .failed: self = .io
        }
    }
}
