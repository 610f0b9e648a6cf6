internal import CCrypto

/// AES-256-GCM by libcrypto, which uses the processor's AES and carry-less multiplication where it has them.
///
/// A nonce must never be used twice with one key: whoever calls says why it is not. See ``SnapshotCipher``.
enum AESGCM {
    static let nonceBytes = 12
    static let tagBytes = 16

    /// Encrypts `bytes[place]` where it lies.
    ///
    /// - Returns: the tag, 16 bytes.
    static func seal(
        _ bytes: inout [UInt8], _ place: Range<Int>, _ key: Secret, nonce: [UInt8], context: [UInt8]
    ) -> [UInt8] {
        precondition(place.lowerBound >= 0 && place.upperBound <= bytes.count && place.count <= Limits.packBytesMax)
        let cipher = Context(key, nonce, isSealing: true)
        cipher.authenticate(context)
        let isDone = unsafe bytes.withUnsafeMutableBytes { all in
            unsafe cipher.run(UnsafeRawBufferPointer(rebasing: all[place]), into: all.baseAddress, at: place.lowerBound)
        }
        precondition(isDone && cipher.finish(), "AES-256-GCM refused to encrypt")
        return cipher.tag()
    }

    /// The plain bytes, or nil if they, the tag, the key, the nonce or the context are not those of the sealing.
    static func open(
        _ sealed: RawSpan, tag: [UInt8], _ key: Secret, nonce: [UInt8], context: [UInt8]
    ) -> [UInt8]? {
        precondition(tag.count == tagBytes && sealed.byteCount <= Limits.packBytesMax)
        let cipher = Context(key, nonce, isSealing: false)
        cipher.authenticate(context)
        cipher.expect(tag)
        var plain = [UInt8](repeating: 0, count: sealed.byteCount)
        let isDone = unsafe plain.withUnsafeMutableBytes { target in
            unsafe sealed.withUnsafeBytes { unsafe cipher.run($0, into: target.baseAddress, at: 0) }
        }
        // Only now are the bytes known to be right; wrong ones are never shown.
        guard isDone, cipher.finish() else { return nil }
        return plain
    }

    /// One use of the cipher.
    @safe private final class Context {
        // Safe: made in init, freed in deinit, used by one thread (not Sendable).
        private let pointer: OpaquePointer
        private let isSealing: Bool

        init(_ key: Secret, _ nonce: [UInt8], isSealing: Bool) {
            precondition(key.count == 32 && nonce.count == nonceBytes)
            guard let made = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory for a cipher") }
            unsafe pointer = made
            self.isSealing = isSealing
            let status = key.read { key in
                unsafe key.withUnsafeBytes { key in
                    unsafe nonce.withUnsafeBufferPointer { nonce in
                        let key = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
                        return unsafe EVP_CipherInit_ex(
                            made, EVP_aes_256_gcm(), nil, key, nonce.baseAddress, isSealing ? 1 : 0)
                    }
                }
            }
            precondition(status == 1, "AES-256-GCM is not available in this OpenSSL")
        }
        deinit { unsafe EVP_CIPHER_CTX_free(pointer) }

        func authenticate(_ context: [UInt8]) {
            guard !context.isEmpty else { return }
            var written: Int32 = 0
            let status = unsafe context.withUnsafeBufferPointer {
                unsafe EVP_CipherUpdate(pointer, nil, &written, $0.baseAddress, Int32($0.count))
            }
            precondition(status == 1)
        }

        /// Source and target may be the same memory.
        func run(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer?, at offset: Int) -> Bool {
            guard unsafe !source.isEmpty, let target = unsafe target else { return true }
            var written: Int32 = 0
            let place = unsafe (target + offset).assumingMemoryBound(to: UInt8.self)
            let start = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let status = unsafe EVP_CipherUpdate(pointer, place, &written, start, Int32(source.count))
            return status == 1 && written == Int32(source.count)
        }

        func expect(_ tag: [UInt8]) {
            var tag = tag
            let status = unsafe tag.withUnsafeMutableBytes {
                unsafe EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), $0.baseAddress)
            }
            precondition(status == 1)
        }

        /// False when the tag is wrong.
        func finish() -> Bool {
            var nothing = [UInt8](repeating: 0, count: 16)
            var written: Int32 = 0
            return unsafe nothing.withUnsafeMutableBufferPointer {
                unsafe EVP_CipherFinal_ex(pointer, $0.baseAddress, &written)
            } == 1
        }

        func tag() -> [UInt8] {
            precondition(isSealing)
            var tag = [UInt8](repeating: 0, count: tagBytes)
            let status = unsafe tag.withUnsafeMutableBytes {
                unsafe EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), $0.baseAddress)
            }
            precondition(status == 1)
            return tag
        }
    }
}
