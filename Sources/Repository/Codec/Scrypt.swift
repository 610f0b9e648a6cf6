internal import CCrypto

/// Makes a key of a passphrase, slowly and with much memory on purpose (RFC 7914).
struct Scrypt: Equatable, Sendable {
    /// The cost: a power of two.
    var n = 1 << 15
    /// The block size; the memory is 128 * n * r bytes.
    var r = 8
    /// How many, one after another.
    var p = 1
    var salt: [UInt8]

    /// Costs that a record in a store may ask for: 1 GiB of memory would be an attack.
    var isSane: Bool {
        (1 << 10...1 << 20).contains(n) && n & (n - 1) == 0 && (1...32).contains(r) && (1...16).contains(p)
            && 128 * n * r <= Scrypt.memoryMax && (8...64).contains(salt.count)
    }
    private static let memoryMax = 256 << 20

    func key(of passphrase: Secret) -> Secret {
        precondition(isSane)
        var key = [UInt8](repeating: 0, count: 32)
        let status = passphrase.read { words in
            unsafe words.withUnsafeBytes { words in
                unsafe salt.withUnsafeBufferPointer { salt in
                    unsafe key.withUnsafeMutableBufferPointer { target in
                        unsafe EVP_PBE_scrypt(
                            words.baseAddress?.assumingMemoryBound(to: CChar.self), words.count, salt.baseAddress,
                            salt.count, UInt64(n), UInt64(r), UInt64(p), UInt64(2 * Scrypt.memoryMax),
                            target.baseAddress, target.count)
                    }
                }
            }
        }
        precondition(status == 1, "scrypt is not available in this OpenSSL")
        return Secret(taking: &key)
    }
}
