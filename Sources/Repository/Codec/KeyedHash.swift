internal import CCrypto

/// HMAC-SHA256: authenticates, and derives keys from keys.
enum KeyedHash {
    static func mac(_ key: Secret, of bytes: RawSpan) -> Digest {
        var found = compute(key, bytes)
        defer { found.wipe() }
        guard let digest = Digest(found) else { preconditionFailure("HMAC-SHA256 has 32 bytes") }
        return digest
    }

    /// The key for one purpose: HMAC of the purpose's name, a zero byte and whatever tells its uses apart.
    static func derive(_ key: Secret, _ purpose: StaticString, _ context: [UInt8] = []) -> Secret {
        let label = Array("\(purpose)".utf8) + [0] + context
        var found = label.readBytes(0..<label.count) { compute(key, $0) }
        return Secret(taking: &found)
    }

    private static func compute(_ key: Secret, _ bytes: RawSpan) -> [UInt8] {
        var found = [UInt8](repeating: 0, count: Digest.byteCount)
        let isDone = unsafe found.withUnsafeMutableBufferPointer { target in
            key.read { key in
                unsafe key.withUnsafeBytes { key in
                    unsafe bytes.withUnsafeBytes { bytes in
                        unsafe HMAC(
                            EVP_sha256(), key.baseAddress, Int32(key.count), bytes.baseAddress, bytes.count,
                            target.baseAddress, nil) != nil
                    }
                }
            }
        }
        precondition(isDone, "HMAC-SHA256 is not available in this OpenSSL")
        return found
    }
}
