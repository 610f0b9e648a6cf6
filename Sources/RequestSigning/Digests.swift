internal import CCrypto

/// The hashes that signatures are made of; everything unsafe of this room is in this file.
enum Digests {
    /// SHA-256 of `bytes`, 32 bytes.
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe bytes.withUnsafeBytes { source in
            unsafe digest.withUnsafeMutableBufferPointer { target in
                unsafe EVP_Digest(source.baseAddress, source.count, target.baseAddress, nil, EVP_sha256(), nil)
            }
        }
        precondition(status == 1, "libcrypto cannot compute SHA-256")
        return digest
    }

    /// MD5 of `bytes`, 16 bytes; nil where libcrypto refuses it (FIPS).
    static func md5(_ bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 16)
        let status = unsafe bytes.withUnsafeBytes { source in
            unsafe digest.withUnsafeMutableBufferPointer { target in
                unsafe EVP_Digest(source.baseAddress, source.count, target.baseAddress, nil, EVP_md5(), nil)
            }
        }
        return status == 1 ? digest : nil
    }

    /// HMAC-SHA256, 32 bytes.
    static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        guard let digest = unsafe hmac(bytes, key: key, EVP_sha256(), size: 32) else {
            preconditionFailure("libcrypto cannot compute HMAC-SHA256")
        }
        return digest
    }

    /// HMAC-SHA1, 20 bytes; nil where libcrypto refuses it (FIPS).
    static func hmacSHA1(_ bytes: [UInt8], key: [UInt8]) -> [UInt8]? {
        unsafe hmac(bytes, key: key, EVP_sha1(), size: 20)
    }

    private static func hmac(_ bytes: [UInt8], key: [UInt8], _ kind: OpaquePointer?, size: Int) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: size)
        let isDone = unsafe key.withUnsafeBytes { key in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe digest.withUnsafeMutableBufferPointer { target in
                    unsafe HMAC(
                        kind, key.baseAddress, Int32(key.count), source.baseAddress, source.count,
                        target.baseAddress, nil) != nil
                }
            }
        }
        return isDone ? digest : nil
    }

    /// Are they equal? Takes the same time wherever they differ.
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
    }

    /// Lower-case hexadecimal.
    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// The SHA-256 of a body, as requests carry it: 64 lower-case hexadecimal digits.
public struct BodyHash: Equatable, Sendable {
    /// The digits.
    public let hex: String

    /// Hashes `body`.
    public init(of body: [UInt8]) { hex = Digests.hex(Digests.sha256(body)) }

    /// A hash as a header carries it; nil if it is not 64 lower-case hexadecimal digits.
    public init?(hex: String) {
        let isHex = hex.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard hex.utf8.count == 64, isHex else { return nil }
        self.hex = hex
    }

    /// A hash in base64; nil if it is none.
    public init?(base64 text: String) {
        guard text.utf8.count == 44, let bytes = Base64.decode(text), bytes.count == 32 else { return nil }
        hex = Digests.hex(bytes)
    }

    /// The hash of no bytes.
    public static let empty = BodyHash(of: [])

    /// The hash in base64, as `x-amz-checksum-sha256` carries it.
    public var base64: String {
        let digits = Array(hex.utf8).map { Int($0) - ($0 > 57 ? 87 : 48) }
        return Base64.encode(stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }

    /// The MD5 of `body` in base64, as `Content-MD5` carries it; nil where the system forbids MD5.
    public static func md5(of body: [UInt8]) -> String? { Digests.md5(body).map(Base64.encode) }
}

/// RFC 4648, with padding.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for digit in 0..<4 {
                result.append(digit > part.count ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * digit) & 63])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes that `text` spells in the one way that ``encode(_:)`` does, or nil.
    static func decode(_ text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        var bits = 0, count = 0
        for digit in text.utf8 where digit != UInt8(ascii: "=") {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            bits = (bits << 6 | value) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(bits >> count & 0xff))
            }
        }
        return encode(result) == text ? result : nil
    }
}
