/// Percent encoding by RFC 3986, as signatures want it: everything but `A-Z a-z 0-9 - . _ ~`, in upper-case digits.
public enum URIEncoding {
    /// Encodes `text`; with `keepsSlash`, `/` stays.
    public static func encode(_ text: some Sequence<UInt8>, keepsSlash: Bool = false) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text {
            if isUnreserved(byte) || (keepsSlash && byte == UInt8(ascii: "/")) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Decodes one name or value of a query: `%XX`, and `+` as a space. A stray `%` stays as it is.
    public static func decodeQuery(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = digit(bytes[index + 1]), let low = digit(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
                index += 1
            }
        }
        return result
    }

    /// The pairs of `a=1&b=2`, still encoded; empty ones are left out, and what has no `=` has no value. Cut at bytes, whatever
    /// characters they are parts of, as those who sign do.
    ///
    /// - Parameter limit: no more pairs than these are looked for: one more than that is what is left, whole.
    public static func pairs(of source: String, limit: Int = .max) -> [(name: Substring, value: Substring)] {
        source.utf8.split(separator: UInt8(ascii: "&"), maxSplits: limit).map { pair in
            let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let value = pair[end...].dropFirst()
            return (name: Substring(pair[..<end]), value: Substring(value))
        }
    }

    /// Those with names and values decoded.
    public static func decodedPairs(of source: String) -> [(name: String, value: String)] {
        pairs(of: source).map { pair in
            (
                String(decoding: decodeQuery(pair.name), as: UTF8.self),
                String(decoding: decodeQuery(pair.value), as: UTF8.self)
            )
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
