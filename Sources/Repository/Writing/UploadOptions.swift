public import Blocks

/// How an upload runs.
public struct UploadOptions: Sendable {
    /// Bytes it may hold at once in buffers and packs on their way. At least 64 MiB.
    public var memory: ByteCount
    /// Threads that read, hash and compress; nil for one per core.
    public var workers: Int?
    /// Run at idle scheduling and I/O class, behind everything else.
    public var isBackground: Bool
    /// zstd's level; 1 is fast.
    public var compressionLevel: Int
    /// Blocks whose frames in the parent are damaged, as ``Repository/damage(of:suspects:isStopped:)`` found: they are stored anew,
    /// even if they are the same, wherever the volume marks them as changed or still has them unchanged.
    public var distrusted: [BlockRange] = []
    /// Store blocks of zeros as they are, where the content says that it has data? Otherwise they become holes.
    public var keepsZeros = false
    /// How many frames of the parent whose blocks claim to be unchanged are read again and compared.
    public var auditedFrames = 8
    /// Called from the upload's threads now and then (at most a few times per second) and once at the end.
    public var progress: (@Sendable (UploadProgress) -> Void)?

    /// The defaults: 256 MiB, every core, in the foreground, zstd level 1.
    public init(
        memory: ByteCount = .mebibytes(256), workers: Int? = nil, isBackground: Bool = false,
        compressionLevel: Int = 1, progress: (@Sendable (UploadProgress) -> Void)? = nil
    ) {
        self.memory = memory
        self.workers = workers
        self.isBackground = isBackground
        self.compressionLevel = compressionLevel
        self.progress = progress
    }
}

/// How far an upload is.
public struct UploadProgress: Equatable, Sendable {
    /// Changed bytes that are captured: stored durably, or found to be zero or as in the parent.
    public var captured: ByteCount
    /// Changed bytes in all; nil while they are being counted.
    public var total: ByteCount?
    /// Bytes that this run put into the store.
    public var stored: ByteCount
    /// Captured bytes per second, smoothed.
    public var bytesPerSecond: Double
    /// An estimate from the smoothed rate, or nil while there is none.
    public var remaining: Duration?

    /// From 0 to 1; 1 for nothing to do. Never falls.
    public var fraction: Double {
        guard let total else { return 0 }
        return total.bytes == 0 ? 1 : min(1, Double(captured.bytes) / Double(total.bytes))
    }
}
