internal import Blocks

/// Reads an option's fields from the front. Every field that is not there is nil.
struct FieldReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> T? {
        let size = T.bitWidth / 8
        guard remaining >= size else { return nil }
        defer { position += size }
        return bytes[position..<position + size].reduce(0) { $0 << 8 | T($1) }
    }

    /// A string of `count` bytes: valid UTF-8 without NUL, not longer than the protocol allows.
    mutating func string(_ count: Int) -> String? {
        guard count <= remaining, count <= Bounds.stringMax else { return nil }
        defer { position += count }
        let part = bytes[position..<position + count]
        return part.contains(0) ? nil : String(validating: part, as: UTF8.self)
    }

    /// A string after its 32-bit length.
    mutating func countedString() -> String? {
        guard let count = integer(UInt32.self) else { return nil }
        return string(Int(count))
    }
}

extension Array where Element == UInt8 {
    /// Appends `value`, big-endian.
    mutating func append<T: FixedWidthInteger>(big value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}

extension RawSpan {
    /// The big-endian integer at `offset`.
    func big<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
        unsafe T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension MutableRawSpan {
    /// Stores `value` at `offset`, big-endian.
    mutating func store<T: FixedWidthInteger & BitwiseCopyable>(big value: T, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }
}
