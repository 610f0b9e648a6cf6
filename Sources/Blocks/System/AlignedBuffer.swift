/// Bytes on the heap, aligned to 4096, owned by one holder.
@safe public struct AlignedBuffer: ~Copyable, @unchecked Sendable {
    // Safe: `base` is valid for `count` bytes until deinit; the struct cannot be copied, so access follows ownership.
    private let base: UnsafeMutableRawPointer
    /// The size in bytes.
    public let count: Int

    /// Zero-filled memory.
    public init(count: Int) {
        precondition(count >= 0)
        self.count = count
        unsafe base = .allocate(byteCount: max(count, 1), alignment: 4096)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }
    deinit { unsafe base.deallocate() }

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
}

extension Array where Element == UInt8 {
    /// Shows all bytes for reading.
    public func readBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try unsafe body(span.bytes)
    }
    /// Shows all bytes for writing.
    public mutating func writeBytes<R, E: Error>(_ body: (inout MutableRawSpan) throws(E) -> R) throws(E) -> R {
        var all = mutableSpan
        var bytes = unsafe all.mutableBytes
        return try body(&bytes)
    }
}
