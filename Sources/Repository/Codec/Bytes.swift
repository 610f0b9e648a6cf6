// Moving bytes between arrays and spans: the only place outside Codec's C calls that needs `unsafe`.

extension MutableRawSpan {
    /// Copies `source[range]` to `offset`.
    mutating func copy(_ source: [UInt8], _ range: Range<Int>, to offset: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= source.count)
        precondition(offset >= 0 && offset <= byteCount - range.count)
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + range.count]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0[range]))
            }
        }
    }

    /// Zeroes `range`.
    mutating func zero(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        unsafe withUnsafeMutableBytes { target in
            for index in range { unsafe target[index] = 0 }
        }
    }
}

extension Array where Element == UInt8 {
    /// A copy of a span's bytes.
    init(copying bytes: RawSpan) { self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) } }

    /// Adds zeros.
    mutating func append(zeros count: Int) { append(contentsOf: repeatElement(0, count: count)) }

    /// Adds a span's bytes.
    mutating func append(copying bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Shows part of the bytes for reading.
    func readBytes<R, E: Error>(_ range: Range<Int>, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try unsafe body(span.extracting(range).bytes)
    }
}

extension RawSpan {
    /// Are these the same bytes?
    func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return unsafe withUnsafeBytes { a in unsafe other.withUnsafeBytes { unsafe a.elementsEqual($0) } }
    }
}
