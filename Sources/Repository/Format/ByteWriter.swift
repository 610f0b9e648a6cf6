/// Puts values at the end of a growing array.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(_ magic: [UInt8] = []) { bytes = magic }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// LEB128: seven bits a byte, lowest first, the top bit set on all but the last.
    mutating func number(_ value: Int) {
        precondition(value >= 0)
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func digest(_ digest: Digest) { bytes.append(contentsOf: digest.bytes) }

    mutating func snapshotID(_ id: SnapshotID) {
        number(id.text.utf8.count)
        bytes.append(contentsOf: id.text.utf8)
    }
}
