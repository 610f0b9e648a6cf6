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

    /// HMAC-SHA256, 32 bytes.
    static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let isDone = unsafe key.withUnsafeBytes { key in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe digest.withUnsafeMutableBufferPointer { target in
                    unsafe HMAC(
                        EVP_sha256(), key.baseAddress, Int32(key.count), source.baseAddress, source.count,
                        target.baseAddress, nil) != nil
                }
            }
        }
        precondition(isDone, "libcrypto cannot compute HMAC-SHA256")
        return digest
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

    /// The hash of no bytes.
    public static let empty = BodyHash(of: [])
}
