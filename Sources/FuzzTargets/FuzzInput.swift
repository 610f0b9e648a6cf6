/// Takes choices off the front of a fuzzer's bytes; when they run out every choice is 0.
///
/// Numbers are little-endian, as libFuzzer likes to write them.
struct FuzzInput {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

    mutating func number<N: FixedWidthInteger & UnsignedInteger>(_: N.Type) -> N {
        (0..<N.bitWidth / 8).reduce(0) { $0 | N(byte()) << N($1 * 8) }
    }

    /// A choice from 0 to below `count`, at most 256.
    mutating func choice(_ count: Int) -> Int { Int(byte()) % count }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[choice(values.count)] }

    /// So many bytes, or what is left.
    mutating func take(_ count: Int) -> [UInt8] {
        let part = bytes.prefix(count)
        bytes = bytes.dropFirst(count)
        return Array(part)
    }

    /// Bytes after their 16-bit count.
    mutating func piece() -> [UInt8] { take(Int(number(UInt16.self))) }

    mutating func text() -> String { String(decoding: piece(), as: UTF8.self) }

    /// All that is left.
    mutating func rest() -> [UInt8] { take(bytes.count) }

    /// A signed number that is likely to be at some edge.
    mutating func edge() -> Int {
        let edges = [
            0, 1, -1, 2, 511, 512, 4096, 8192, 65_536, 1 << 20, 1 << 46, 1 << 46 + 512, 1 << 47, Int.max, Int.min,
            Int.max - 511, Int(UInt32.max), 1 << 53,
        ]
        let at = choice(edges.count + 2)
        if at < edges.count { return edges[at] }
        return at == edges.count ? Int(byte()) : Int(truncatingIfNeeded: number(UInt64.self))
    }
}

/// Builds seeds: the counterpart of ``FuzzInput``.
struct SeedBuilder {
    private(set) var bytes: [UInt8] = []

    init(_ choices: UInt8...) { bytes = choices }

    mutating func add(_ choices: UInt8...) { bytes += choices }

    mutating func add<N: FixedWidthInteger & UnsignedInteger>(number: N) {
        for shift in stride(from: 0, to: N.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> N(shift)))
        }
    }

    mutating func add(piece: [UInt8]) {
        add(number: UInt16(clamping: piece.count))
        bytes += piece
    }

    mutating func add(text: String) { add(piece: Array(text.utf8)) }

    mutating func add(rest: [UInt8]) { bytes += rest }
}
