internal import CCrypto

/// Key material: never printed or logged, and wiped from memory when the last reference goes.
@safe public final class Secret: @unchecked Sendable {
    // Safe: `base` is valid for `count` bytes until deinit and written only in init, so threads only ever read it.
    private let base: UnsafeMutableRawPointer
    /// How many bytes.
    let count: Int

    /// A copy of `bytes`. Wipe the original (``Swift/Array/wipe()``).
    init(_ bytes: RawSpan) {
        count = bytes.byteCount
        unsafe base = .allocate(byteCount: max(count, 1), alignment: 16)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: base, count: count).copyMemory(from: source)
        }
    }

    /// Takes the bytes over and wipes the array.
    public convenience init(taking bytes: inout [UInt8]) {
        self.init(unsafe bytes.span.bytes)
        bytes.wipe()
    }

    deinit {
        unsafe OPENSSL_cleanse(base, count)
        unsafe base.deallocate()
    }

    /// Shows the bytes.
    func read<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        let all = unsafe UnsafeRawBufferPointer(start: base, count: count)
        return try unsafe body(RawSpan(_unsafeBytes: all))
    }

    /// 32 random bytes from libcrypto's generator.
    static func random() -> Secret {
        var bytes = RandomBytes.make(32)
        return Secret(taking: &bytes)
    }
}

/// Random bytes from libcrypto's generator, which the kernel seeds.
enum RandomBytes {
    static func make(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let status = unsafe bytes.withUnsafeMutableBufferPointer { unsafe RAND_bytes($0.baseAddress, Int32(count)) }
        precondition(status == 1, "libcrypto has no randomness")
        return bytes
    }
}

extension Array where Element == UInt8 {
    /// Overwrites all bytes with zeros, in a way that the compiler does not leave out.
    public mutating func wipe() {
        unsafe withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
