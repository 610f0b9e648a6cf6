internal import Blocks
internal import CCrypto

/// A SHA-256.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes as four big-endian words.
    private var words: Words

    private struct Words: Hashable, Sendable {
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c: UInt64 = 0
        var d: UInt64 = 0
    }

    /// How many bytes a digest has.
    public static let byteCount = 32

    /// The digest whose bytes are given; nil unless there are 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Digest.byteCount else { return nil }
        var words = Words()
        for byte in bytes {
            words.a = words.a << 8 | words.b >> 56
            words.b = words.b << 8 | words.c >> 56
            words.c = words.c << 8 | words.d >> 56
            words.d = words.d << 8 | UInt64(byte)
        }
        self.words = words
    }

    /// The digest of `bytes`.
    init(of bytes: RawSpan) {
        var found = [UInt8](repeating: 0, count: Digest.byteCount)
        let status = unsafe found.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeBytes {
                unsafe EVP_Digest($0.baseAddress, $0.count, target.baseAddress, nil, EVP_sha256(), nil)
            }
        }
        precondition(status == 1, "SHA-256 is not available in this OpenSSL")
        guard let digest = Digest(found) else { preconditionFailure("SHA-256 has 32 bytes") }
        self = digest
    }

    /// The digest of an array's bytes.
    public init(of bytes: [UInt8]) { self = bytes.readBytes { Digest(of: $0) } }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [words.a, words.b, words.c, words.d].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }

    /// The first eight bytes as a number.
    var prefix: UInt64 { words.a }

    /// 64 hexadecimal digits.
    public var description: String { Hexadecimal.text(of: bytes) }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` spells, or nil.
    static func bytes(of text: String) -> [UInt8]? {
        let text = Array(text.utf8)
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = digits.firstIndex(of: text[index]), let low = digits.firstIndex(of: text[index + 1])
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
