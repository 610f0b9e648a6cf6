/// Where a frame lies, how it is stored, and what its plain bytes hash to. Equal pointers mean equal content.
///
/// Of a sealed frame the digest is keyed (``SnapshotCipher/digest(of:)``).
public struct FramePointer: Hashable, Sendable {
    /// The pack.
    public var pack: PackName
    /// Bytes from the start of the pack.
    public var offset: Int
    /// Bytes it takes up in the pack.
    public var storedLength: Int
    /// Bytes it holds once decoded.
    public var plainLength: Int
    /// How it is stored.
    public var codec: FrameCodec
    /// SHA-256 of the plain bytes; of a sealed frame their HMAC.
    public var digest: Digest

    /// Points to a frame.
    public init(
        pack: PackName, offset: Int, storedLength: Int, plainLength: Int, codec: FrameCodec, digest: Digest
    ) {
        self.pack = pack
        self.offset = offset
        self.storedLength = storedLength
        self.plainLength = plainLength
        self.codec = codec
        self.digest = digest
    }
}

extension FramePointer {
    /// Tells this place and content from others, as well as 64 bits can.
    var fingerprint: UInt64 {
        var hasher = Hasher()
        hasher.combine(self)
        return UInt64(bitPattern: Int64(hasher.finalize())) ^ digest.prefix
    }
}

/// How a frame's bytes are stored.
public enum FrameCodec: UInt8, Hashable, Sendable {
    /// As they are.
    case raw = 0
    /// One zstd frame.
    case zstd = 1
    /// Raw, then encrypted.
    case sealedRaw = 2
    /// One zstd frame, then encrypted.
    case sealedZstd = 3

    var isSealed: Bool { self == .sealedRaw || self == .sealedZstd }
    /// The same, encrypted.
    var sealed: FrameCodec { self == .raw || self == .sealedRaw ? .sealedRaw : .sealedZstd }
    /// How the bytes are stored once they are decrypted.
    var opened: FrameCodec { self == .raw || self == .sealedRaw ? .raw : .zstd }
    /// Can a frame have these lengths?
    func fits(stored: Int, plain: Int) -> Bool {
        switch self {
        case .raw: stored == plain
        case .zstd: true
        case .sealedRaw: stored == plain + SnapshotCipher.overhead
        case .sealedZstd: stored > SnapshotCipher.overhead
        }
    }
}
