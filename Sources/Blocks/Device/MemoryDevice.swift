/// A device in memory: for tests, and for measuring what is above a device. Nothing survives the process.
///
/// One lock around all of it; blocks never written take no memory.
public final class MemoryDevice: BlockDevice {
    private struct State: ~Copyable, Sendable {
        var bytes: PageBuffer
        var size: ByteCount
        var isStored: [Bool]
        var isChanged: [Bool]
        var flushCount = 0
    }
    private let state: Guarded<State>
    /// Given at the start.
    public let isReadOnly: Bool
    private let limit: ByteCount

    /// All zeros.
    ///
    /// - Parameters:
    ///   - size: a multiple of 512, above 0.
    ///   - limit: what ``grow(to:)`` may reach; `size` when nil.
    public init(size: ByteCount, limit: ByteCount? = nil, isReadOnly: Bool = false) {
        let limit = BlockCount(covering: limit ?? size)
        precondition(size > .zero && size.isMultiple(of: Sector.size) && size <= limit.size)
        self.limit = limit.size
        self.isReadOnly = isReadOnly
        state = Guarded(
            State(
                bytes: PageBuffer(count: limit.size.bytes), size: size,
                isStored: Array(repeating: false, count: limit.count),
                isChanged: Array(repeating: false, count: limit.count)))
    }

    /// The size now.
    public var size: ByteCount { state.withLock { $0.size } }
    /// How often ``flush()`` was called, or something was written durably.
    public var flushCount: Int { state.withLock { $0.flushCount } }

    /// Makes the device longer, within the limit given at the start.
    public func grow(to size: ByteCount) {
        precondition(size <= limit && size.isMultiple(of: Sector.size))
        state.withLock { state in
            precondition(size >= state.size)
            state.size = size
        }
    }

    /// Forgets what changed: as if a snapshot had been taken.
    public func forgetChanges() {
        state.withLock { state in state.isChanged = Array(repeating: false, count: state.isChanged.count) }
    }

    /// Copies.
    public func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == range.count.bytes)
        var isInside = false
        unsafe target.withUnsafeMutableBytes { target in
            unsafe isInside = copy(range, to: target)
        }
        if !isInside { throw .outOfRange }
    }

    private func copy(_ range: ByteRange, to target: UnsafeMutableRawBufferPointer) -> Bool {
        // Safe: the pointer is used only within the caller's access.
        nonisolated(unsafe) let target = unsafe target
        return state.withLock { state in
            guard range.fits(in: state.size) else { return false }
            state.bytes.read(range.start.bytes..<range.end.bytes) { source in
                unsafe source.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
            }
            return true
        }
    }

    /// Memory never waits.
    public func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        try read(range, into: &target)
        return true
    }

    /// Copies.
    public func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) {
        precondition(source.byteCount == range.count.bytes)
        if isReadOnly { throw .readOnly }
        let isInside = unsafe source.withUnsafeBytes { source in
            // Safe: the pointer is used only within this access.
            nonisolated(unsafe) let source = unsafe source
            return state.withLock { state in
                guard range.fits(in: state.size) else { return false }
                state.bytes.write(range.start.bytes..<range.end.bytes) { target in
                    unsafe target.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
                }
                for block in range.touchedBlocks.start.number..<range.touchedBlocks.end.number {
                    state.isStored[block] = true
                    state.isChanged[block] = true
                }
                if durably { state.flushCount += 1 }
                return true
            }
        }
        if !isInside { throw .outOfRange }
    }

    /// Clears; whole blocks become holes when `mayPunch`.
    public func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) {
        if isReadOnly { throw .readOnly }
        let isInside = state.withLock { state in
            guard range.fits(in: state.size) else { return false }
            state.bytes.write(range.start.bytes..<range.end.bytes) { $0.fillWithZeros() }
            let touched = range.touchedBlocks, whole = range.wholeBlocks
            for block in touched.start.number..<touched.end.number {
                if !mayPunch { state.isStored[block] = true }
                state.isChanged[block] = true
            }
            if mayPunch, !whole.isEmpty {
                for block in whole.start.number..<whole.end.number { state.isStored[block] = false }
            }
            if durably { state.flushCount += 1 }
            return true
        }
        if !isInside { throw .outOfRange }
    }

    /// The same as zeroing with punching.
    public func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) {
        try zero(range, mayPunch: true, durably: durably)
    }

    /// Counted only.
    public func flush() throws(BlockFailure) { state.withLock { $0.flushCount += 1 } }

    /// What was written and not punched.
    public func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] {
        let (isStored, size) = state.withLock { ($0.isStored, $0.size) }
        guard range.fits(in: size) else { throw .outOfRange }
        return Self.extents(of: isStored, in: range)
    }

    /// What was written, zeroed or trimmed since the start or ``forgetChanges()``.
    public func changes(in range: ByteRange) throws(BlockFailure) -> [Extent]? {
        let (isChanged, size) = state.withLock { ($0.isChanged, $0.size) }
        guard range.fits(in: size) else { throw .outOfRange }
        return Self.extents(of: isChanged, in: range)
    }

    private static func extents(of blocks: [Bool], in range: ByteRange) -> [Extent] {
        var extents: [Extent] = []
        var position = range.start
        while position < range.end {
            var block = BlockIndex(holding: position)
            let isSet = blocks[block.number]
            while block.offset < range.end, blocks[block.number] == isSet { block = block + 1 }
            let end = min(block.offset, range.end)
            extents.append(Extent(ByteRange(from: position, to: end), isSet: isSet))
            position = end
        }
        return extents
    }
}
