internal import Blocks

/// A request that may wait for a disk or a store, carried out apart from the connection's own thread.
final class Job: @unchecked Sendable {
    // Safe: owned by one thread at a time; the crew's lock hands it on.
    enum Work {
        case read(ByteRange)
        /// The payload is in `buffer`.
        case write(ByteRange, durably: Bool)
        case flush
        case trim(ByteRange, durably: Bool)
        case zero(ByteRange, mayPunch: Bool, durably: Bool)
        case cache(ByteRange)
        case blockStatus(ByteRange, onlyOne: Bool)
    }

    private let cookie: UInt64
    private let work: Work
    private let encoder: ReplyEncoder
    /// The data, from ``dataStart`` (so that it is aligned); a read's header ends there.
    private var buffer: AlignedBuffer
    private var reply = 0..<0
    private let begun = Machine.nanoseconds()
    private var hasFailed = false
    private static let dataStart = 4096

    init(_ work: Work, cookie: UInt64, encoder: ReplyEncoder) {
        self.cookie = cookie
        self.work = work
        self.encoder = encoder
        let data = if case .read(let range) = work { range.count.bytes } else { 0 }
        byteCount = Self.dataStart + data
        buffer = AlignedBuffer(count: byteCount)
    }

    /// A write with a copy of its payload.
    init(writing payload: RawSpan, at range: ByteRange, durably: Bool, cookie: UInt64, encoder: ReplyEncoder) {
        self.cookie = cookie
        self.encoder = encoder
        work = .write(range, durably: durably)
        byteCount = Self.dataStart + payload.byteCount
        buffer = AlignedBuffer(count: byteCount)
        buffer.write(Self.dataStart..<byteCount) { $0.copy(payload) }
    }

    /// What it holds on to while it is under way.
    let byteCount: Int
    /// Does it fetch, rather than change or flush?
    var isFetch: Bool {
        switch work {
        case .read, .cache, .blockStatus: true
        case .write, .flush, .trim, .zero: false
        }
    }

    /// Carries it out; afterwards ``withReply(_:)`` has the answer.
    func run(on agreement: Agreement, counting tally: Tally) {
        let device = agreement.export.device
        do throws(BlockFailure) {
            switch work {
            case .read(let range): try read(range, from: device)
            case .write(let range, let durably):
                let data = Self.dataStart..<Self.dataStart + range.count.bytes
                try buffer.read(data) { (bytes) throws(BlockFailure) in
                    try device.write(range, from: bytes, durably: durably)
                }
                succeed()
            case .flush:
                try device.flush()
                succeed()
            case .trim(let range, let durably):
                try device.trim(range, durably: durably)
                succeed()
            case .zero(let range, let mayPunch, let durably):
                try device.zero(range, mayPunch: mayPunch, durably: durably)
                succeed()
            case .cache(let range): try cache(range, from: device)
            case .blockStatus(let range, let onlyOne): try status(range, onlyOne: onlyOne, agreement)
            }
        } catch { fail(error) }
        tally.count(kind, bytes: countedBytes, failed: hasFailed, begun: begun, now: Machine.nanoseconds())
    }

    private var kind: TrafficCounts.Kind {
        switch work {
        case .read: .read
        case .write: .write
        case .flush: .flush
        case .trim, .zero: .discard
        case .cache, .blockStatus: .other
        }
    }
    private var countedBytes: Int {
        switch work {
        case .read(let range), .write(let range, _), .trim(let range, _), .zero(let range, _, _): range.count.bytes
        case .flush, .cache, .blockStatus: 0
        }
    }

    /// Shows the whole reply.
    func withReply(_ body: (RawSpan) throws(StreamFailure) -> Void) throws(StreamFailure) {
        try buffer.read(reply, body)
    }

    private func read(_ range: ByteRange, from device: any BlockDevice) throws(BlockFailure) {
        let data = Self.dataStart..<Self.dataStart + range.count.bytes
        try buffer.write(data) { (target) throws(BlockFailure) in try device.read(range, into: &target) }
        let start = Self.dataStart - encoder.readHeaderSize
        _ = buffer.write(start..<Self.dataStart) { encoder.data(cookie, range, into: &$0) }
        reply = start..<data.upperBound
    }

    /// Reads and forgets, so that the next read need not wait. A hint: only so much of it is followed.
    private func cache(_ range: ByteRange, from device: any BlockDevice) throws(BlockFailure) {
        var scratch = AlignedBuffer(count: 1 << 20)
        var position = range.start
        let end = min(range.end, range.start + ByteCount(Bounds.payloadMax))
        while position < end {
            let part = ByteRange(at: position, count: min(end - position, ByteCount(scratch.count)))
            try scratch.write(0..<part.count.bytes) { (target) throws(BlockFailure) in
                try device.read(part, into: &target)
            }
            position = part.end
        }
        succeed()
    }

    private func status(_ range: ByteRange, onlyOne: Bool, _ agreement: Agreement) throws(BlockFailure) {
        var bytes: [UInt8] = []
        for context in agreement.contexts {
            let extents = try context.descriptors(of: range, on: agreement.export.device, limit: onlyOne ? 1 : 4096)
            bytes += encoder.status(
                cookie, context: context.id, extents, isLast: context == agreement.contexts.last)
        }
        buffer = AlignedBuffer(count: bytes.count)
        buffer.write(0..<bytes.count) { target in bytes.readBytes { target.copy($0) } }
        reply = 0..<bytes.count
    }

    private func succeed() {
        reply = 0..<buffer.write(0..<ReplyEncoder.sizeMax) { encoder.success(cookie, into: &$0) }
    }

    private func fail(_ failure: BlockFailure) {
        hasFailed = true
        let error = NBDError(failure, isWrite: !isFetch)
        reply = 0..<buffer.write(0..<ReplyEncoder.sizeMax) { encoder.failure(cookie, error, .failed, into: &$0) }
    }
}

extension MetaContext {
    /// What BLOCK_STATUS says of `range`: at least one descriptor, none past its end.
    func descriptors(
        of range: ByteRange, on device: any BlockDevice, limit: Int
    ) throws(BlockFailure) -> [ReplyEncoder.Descriptor] {
        let extents: [Extent]
        switch self {
        case .allocation: extents = try device.allocation(in: range)
        // Tracking ended since the context was selected: everything may have changed.
        case .dirty: extents = try device.changes(in: range) ?? [Extent(range, isSet: true)]
        }
        var position = range.start
        var found: [ReplyEncoder.Descriptor] = []
        for extent in extents.prefix(limit) {
            precondition(extent.range.start == position && !extent.range.isEmpty && extent.range.end <= range.end)
            position = extent.range.end
            found.append(.init(length: UInt32(extent.range.count.bytes), state: state(extent)))
        }
        precondition(!found.isEmpty, "a device must describe at least the start of a range")
        return found
    }

    private func state(_ extent: Extent) -> UInt32 {
        switch self {
        case .allocation: extent.isSet ? 0 : BlockState.hole | BlockState.zero
        case .dirty: extent.isSet ? BlockState.dirty : 0
        }
    }
}
