internal import CLinux

/// Memory in whole 64-bit words with atomic access, anonymous or backed by a file.
///
/// Any thread may call any method. Pages that were never stored to take no memory.
@safe public final class MappedMemory: @unchecked Sendable {
    // Safe: `base` is set once, valid for `count` bytes until deinit; every access is bounds-checked and atomic.
    private let base: UnsafeMutablePointer<UInt64>
    private let owner: AnyObject?
    private let isBorrowed: Bool
    private let writeBack: (@Sendable () throws(BlockFailure) -> Void)?
    /// The size of the mapping in bytes, a multiple of 4096.
    public let count: ByteCount

    /// Zeroed memory of its own.
    public init(anonymous count: ByteCount) {
        precondition(count.bytes > 0 && count.isMultiple(of: Block.size))
        guard let address = unsafe varve_map_anonymous(count.bytes) else {
            preconditionFailure("cannot map \(count.bytes) bytes of memory")
        }
        unsafe varve_avoid_huge_pages(address, count.bytes)
        unsafe base = address.bindMemory(to: UInt64.self, capacity: count.bytes / 8)
        self.count = count
        owner = nil
        isBorrowed = false
        writeBack = nil
    }

    /// The first `count` bytes of other memory, as a simulated disk hands them out for a mapped file.
    ///
    /// - Parameter writeBack: what ``sync()`` does.
    public init(
        sharing memory: MappedMemory, count: ByteCount, writeBack: @escaping @Sendable () throws(BlockFailure) -> Void
    ) {
        precondition(count.bytes > 0 && count.isMultiple(of: Block.size) && count <= memory.count)
        unsafe base = memory.base
        self.count = count
        owner = memory
        isBorrowed = true
        self.writeBack = writeBack
    }

    /// A shared mapping of an open descriptor, kept open by `owner`.
    init(descriptor: Int32, count: ByteCount, owner: AnyObject) throws(BlockFailure) {
        guard let address = unsafe varve_map_shared(descriptor, count.bytes) else { throw .io(errno: 12) }
        unsafe base = address.bindMemory(to: UInt64.self, capacity: count.bytes / 8)
        self.count = count
        self.owner = owner
        isBorrowed = false
        writeBack = nil
    }

    deinit { if !isBorrowed { unsafe varve_unmap(base, count.bytes) } }

    /// How many 64-bit words there are.
    public var wordCount: Int { count.bytes / 8 }

    /// The word at `index`.
    public func load(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < wordCount)
        return unsafe varve_load(base + index)
    }
    /// Sets `bits`; returns the word as it was.
    @discardableResult
    public func fetchOr(_ index: Int, _ bits: UInt64) -> UInt64 {
        precondition(index >= 0 && index < wordCount)
        return unsafe varve_fetch_or(base + index, bits)
    }
    /// Keeps only `bits`; returns the word as it was.
    @discardableResult
    public func fetchAnd(_ index: Int, _ bits: UInt64) -> UInt64 {
        precondition(index >= 0 && index < wordCount)
        return unsafe varve_fetch_and(base + index, bits)
    }
    /// Writes dirty pages of a file mapping back to the file and waits (msync).
    public func sync() throws(BlockFailure) {
        if let writeBack { return try writeBack() }
        let status = unsafe varve_map_sync(base, count.bytes)
        if status < 0 { throw BlockFailure(errno: -status) }
    }
}
