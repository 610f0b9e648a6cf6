/// Keys that clients and the server share, by user: the file that GnuTLS's psktool writes.
///
///     alice:9ef4f5b76d20ffc3...
struct SharedKeys: Sendable {
    private var keys: [[UInt8]: [UInt8]] = [:]

    /// Shorter keys can be guessed; libssl takes no longer ones.
    static let sizes = 16...256

    /// A line that cannot be used: its number, and why.
    struct BadLine: Error { let reason: String }

    /// Empty lines and those that begin with # are passed over.
    init(_ bytes: [UInt8]) throws(BadLine) {
        for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let text = line.last == 13 ? line.dropLast() : line
            guard !text.isEmpty, text.first != 35 else { continue }
            func bad(_ what: String) -> BadLine { BadLine(reason: "is wrong in line \(index + 1): \(what)") }
            guard let colon = text.lastIndex(of: 58), colon > text.startIndex else {
                throw bad("it is not of the form user:hexadecimal key")
            }
            guard let key = Self.key(text[(colon + 1)...]) else { throw bad("the key is not hexadecimal") }
            guard Self.sizes.contains(key.count) else {
                throw bad(
                    "the key has \(key.count) bytes, it must have \(Self.sizes.lowerBound) to "
                        + "\(Self.sizes.upperBound), two digits each")
            }
            guard keys.updateValue(key, forKey: Array(text[..<colon])) == nil else {
                throw bad("the user was there before")
            }
        }
        if keys.isEmpty { throw BadLine(reason: "names no user; write lines user:hexadecimal key") }
    }

    /// The key of a user, or nil.
    func key(of user: [UInt8]) -> [UInt8]? { keys[user] }

    private static func key(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 65...70: value = digit - 55
            case 97...102: value = digit - 87
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
