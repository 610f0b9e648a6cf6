internal import CLinux

/// Bytes in pages of their own, owned by one holder: large room that takes no memory until it is used.
@safe public struct PageBuffer: ~Copyable, @unchecked Sendable {
    // Safe: `base` is valid for `count` bytes until deinit; the struct cannot be copied, so access follows ownership.
    private let base: UnsafeMutableRawPointer
    /// The size in bytes.
    public let count: Int

    /// Zeros. `count` is a positive multiple of 4096.
    public init(count: Int) {
        precondition(count > 0 && count % 4096 == 0)
        guard let address = unsafe varve_map_anonymous(count) else {
            preconditionFailure("cannot map \(count) bytes of memory")
        }
        self.count = count
        unsafe base = address
    }
    deinit { unsafe varve_unmap(base, count) }

    /// Shows `range` for reading.
    public func read<R, E: Error>(_ range: Range<Int>, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let part = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        return try unsafe body(RawSpan(_unsafeBytes: part))
    }
    /// Shows `range` for writing.
    public mutating func write<R, E: Error>(
        _ range: Range<Int>, _ body: (inout MutableRawSpan) throws(E) -> R
    ) throws(E) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let part = unsafe UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
        var span = unsafe MutableRawSpan(_unsafeBytes: part)
        return try body(&span)
    }
    /// Moves bytes within the buffer; the ranges may overlap.
    public mutating func move(_ range: Range<Int>, to target: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count && target >= 0 && target <= count - range.count)
        unsafe (base + target).copyMemory(from: base + range.lowerBound, byteCount: range.count)
    }
    /// Gives the memory from `start` (a multiple of 4096) to the end back; it reads as zeros afterwards.
    public mutating func discard(from start: Int) {
        precondition(start >= 0 && start <= count && start % 4096 == 0)
        if start < count { unsafe varve_discard(base + start, count - start) }
    }
}

extension MutableRawSpan {
    /// Copies all of `source` to the front.
    public mutating func copy(_ source: RawSpan) { copy(source, at: 0) }
}
