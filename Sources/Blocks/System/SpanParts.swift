extension MutableRawSpan {
    /// Shows a part of the bytes for writing.
    public mutating func withPart<R, E: Error>(
        _ part: Range<Int>, _ body: (inout MutableRawSpan) throws(E) -> R
    ) throws(E) -> R {
        precondition(part.lowerBound >= 0 && part.upperBound <= byteCount)
        // Safe: the part lies within self and is not used after the call.
        return try unsafe withUnsafeMutableBytes { (all: UnsafeMutableRawBufferPointer) throws(E) -> R in
            let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: all[part])
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            return try body(&span)
        }
    }

    /// Makes every byte zero.
    public mutating func fillWithZeros() {
        unsafe withUnsafeMutableBytes { _ = unsafe $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    /// Copies all of `source` to `position`.
    public mutating func copy(_ source: RawSpan, at position: Int) {
        precondition(position >= 0 && position + source.byteCount <= byteCount)
        guard source.byteCount > 0 else { return }
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[position..<position + $0.count]).copyMemory(
                    from: $0)
            }
        }
    }
}
