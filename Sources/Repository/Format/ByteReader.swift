/// Why bytes are not what they should be, in words.
struct FormatFailure: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Takes values off the front of untrusted bytes. Never traps; allocates no more than the bytes it was given.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - position }

    mutating func byte() throws(FormatFailure) -> UInt8 {
        guard remaining > 0 else { throw FormatFailure("ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    /// A LEB128 number of at most 63 bits and nine bytes.
    mutating func number() throws(FormatFailure) -> Int {
        var value = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            let next = try byte()
            value |= Int(next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        throw FormatFailure("a number is too long")
    }

    /// A number that must lie in `limits`.
    mutating func number(in limits: ClosedRange<Int>, _ what: StaticString) throws(FormatFailure) -> Int {
        let value = try number()
        guard limits.contains(value) else { throw FormatFailure("\(what) is \(value), beyond \(limits)") }
        return value
    }

    /// How many items follow, each of which takes at least `each` bytes: so never more than the bytes that are left.
    mutating func count(each: Int, limit: Int, _ what: StaticString) throws(FormatFailure) -> Int {
        let value = try number()
        guard value <= limit, value <= remaining / each else { throw FormatFailure("too many \(what): \(value)") }
        return value
    }

    mutating func take(_ count: Int) throws(FormatFailure) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw FormatFailure("ends too early") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func digest() throws(FormatFailure) -> Digest {
        guard let digest = Digest(try take(Digest.byteCount)) else { throw FormatFailure("ends too early") }
        return digest
    }

    mutating func snapshotID() throws(FormatFailure) -> SnapshotID {
        let text = String(decoding: try take(try number(in: 1...64, "a name's length")), as: UTF8.self)
        guard let id = SnapshotID(text) else { throw FormatFailure("\"\(text)\" is no snapshot name") }
        return id
    }

    mutating func expect(_ magic: [UInt8]) throws(FormatFailure) {
        guard try take(magic.count).elementsEqual(magic) else { throw FormatFailure("does not begin as it should") }
    }

    func expectEnd() throws(FormatFailure) {
        if remaining != 0 { throw FormatFailure("\(remaining) bytes too many") }
    }
}
