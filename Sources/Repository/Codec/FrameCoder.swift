internal import Blocks
internal import CZstd

/// Compresses and decompresses frames. Costly to make, quick to use; one per thread.
@safe final class FrameCoder {
    // Safe: both contexts are made in init, freed in deinit, and used by one thread at a time (not Sendable).
    private let compressor: OpaquePointer
    private let decompressor: OpaquePointer
    private let level: Int32

    init(level: Int = 1) {
        guard let compressor = unsafe ZSTD_createCCtx(), let decompressor = unsafe ZSTD_createDCtx() else {
            preconditionFailure("out of memory for a zstd context")
        }
        unsafe self.compressor = compressor
        unsafe self.decompressor = decompressor
        self.level = Int32(clamping: max(1, min(19, level)))
    }
    deinit {
        unsafe ZSTD_freeCCtx(compressor)
        unsafe ZSTD_freeDCtx(decompressor)
    }

    /// Appends the stored form of `plain` to `target`: compressed, or as it is when that gains less than 3 %.
    func encode(_ plain: RawSpan, onto target: inout [UInt8]) -> FrameCodec {
        let start = target.count
        let bound = ZSTD_compressBound(plain.byteCount)
        target.append(contentsOf: repeatElement(0, count: bound))
        let written = unsafe target.withUnsafeMutableBytes { all in
            unsafe plain.withUnsafeBytes {
                unsafe ZSTD_compressCCtx(
                    compressor, all.baseAddress.unsafelyUnwrapped + start, bound, $0.baseAddress, $0.count, level)
            }
        }
        if ZSTD_isError(written) == 0, written < plain.byteCount - plain.byteCount * 3 / 100 {
            target.removeLast(bound - written)
            return .zstd
        }
        target.removeLast(bound)
        unsafe plain.withUnsafeBytes { unsafe target.append(contentsOf: $0) }
        return .raw
    }

    /// The plain bytes, exactly `plainLength`; nil if `stored` does not decode to that many.
    func decode(_ stored: RawSpan, _ codec: FrameCodec, plainLength: Int) -> [UInt8]? {
        switch codec {
        case .sealedRaw, .sealedZstd: return nil
        case .raw:
            guard stored.byteCount == plainLength else { return nil }
            return unsafe stored.withUnsafeBytes { unsafe [UInt8]($0) }
        case .zstd:
            let plain = unsafe [UInt8](unsafeUninitializedCapacity: plainLength) { target, count in
                let made = unsafe stored.withUnsafeBytes {
                    unsafe ZSTD_decompressDCtx(
                        decompressor, target.baseAddress, plainLength, $0.baseAddress, $0.count)
                }
                count = ZSTD_isError(made) == 0 ? made : 0
            }
            return plain.count == plainLength ? plain : nil
        }
    }
}
