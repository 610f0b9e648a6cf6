/// A plain file as a device: offset in file = offset on disk, holes are holes. No snapshots.
public final class FileDevice: BlockDevice {
    private let file: any DiskFile
    /// The file's size when it was opened, cut to whole sectors.
    public let size: ByteCount
    /// Was it opened for reading only?
    public let isReadOnly: Bool

    /// Opens the file at `path`.
    ///
    /// - Throws: ``DiskFailure`` when it cannot be opened, or holds less than one sector (EINVAL).
    public init(_ path: String, isReadOnly: Bool = false, on disk: any Disk = LocalDisk()) throws(DiskFailure) {
        file = try disk.open(path, isReadOnly ? .readOnly : .readWrite)
        self.isReadOnly = isReadOnly
        do throws(BlockFailure) {
            let bytes = try file.size().bytes
            size = ByteCount(bytes - bytes % Sector.size.bytes)
        } catch { throw DiskFailure(errno: 5, action: "measure", path: path) }
        guard size >= Sector.size else { throw DiskFailure(errno: 22, action: "serve", path: path) }
    }

    /// pread.
    public func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == range.count.bytes)
        guard range.fits(in: size) else { throw .outOfRange }
        try file.read(at: range.start, into: &target)
    }

    /// preadv2 with RWF_NOWAIT.
    public func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        precondition(target.byteCount == range.count.bytes)
        guard range.fits(in: size) else { throw .outOfRange }
        return try file.readIfCached(at: range.start, into: &target)
    }

    /// Of the file.
    public func cachedPart(_ range: ByteRange) -> CachedPart? {
        range.fits(in: size) ? file.cachedPart(range) : nil
    }

    /// pwrite.
    public func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) {
        precondition(source.byteCount == range.count.bytes)
        try checkWritable(range)
        try file.write(source, at: range.start, durably: durably)
    }

    /// fallocate; writes zeros where the file system cannot.
    public func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) {
        try checkWritable(range)
        guard !range.isEmpty else { return }
        do throws(BlockFailure) {
            if mayPunch { try file.punch(range) } else { try file.zero(range) }
        } catch {
            guard error == .unsupported else { throw error }
            try writeZeros(range)
        }
        if durably { try file.sync() }
    }

    /// fallocate; nothing where the file system cannot.
    public func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) {
        try checkWritable(range)
        guard !range.isEmpty else { return }
        do throws(BlockFailure) { try file.punch(range) } catch {
            if error != .unsupported { throw error }
        }
        if durably { try file.sync() }
    }

    /// fdatasync.
    public func flush() throws(BlockFailure) { if !isReadOnly { try file.sync() } }

    /// lseek with SEEK_DATA and SEEK_HOLE; at most 1024 extents.
    public func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] {
        guard range.fits(in: size) else { throw .outOfRange }
        var extents: [Extent] = []
        var position = range.start
        while position < range.end, extents.count < 1024 {
            let data = try file.nextData(from: position).map { min($0, range.end) } ?? range.end
            if data > position { extents.append(Extent(ByteRange(from: position, to: data), isSet: false)) }
            guard data < range.end else { break }
            let hole = min(try file.nextHole(from: data), range.end)
            extents.append(Extent(ByteRange(from: data, to: hole), isSet: true))
            position = hole
        }
        return extents
    }

    private func checkWritable(_ range: ByteRange) throws(BlockFailure) {
        if isReadOnly { throw .readOnly }
        guard range.fits(in: size) else { throw .outOfRange }
    }

    private func writeZeros(_ range: ByteRange) throws(BlockFailure) {
        let zeros = AlignedBuffer(count: min(range.count.bytes, 1 << 20))
        var position = range.start
        while position < range.end {
            let count = min(range.end - position, ByteCount(zeros.count))
            try zeros.read(0..<count.bytes) { (bytes) throws(BlockFailure) in
                try file.write(bytes, at: position, durably: false)
            }
            position += count
        }
    }
}
