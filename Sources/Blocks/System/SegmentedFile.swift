/// One long file made of several: file systems such as ext4 end a file at 16 TiB, a volume at 64.
///
/// Bytes up to 8 TiB are in the file of the given name, the next 8 TiB in `name.1`, and so on. Segments are made, with
/// their names durable, by ``resize(to:)`` alone. A file that fits its first segment costs one comparison more.
public final class SegmentedFile: DiskFile {
    /// 8 TiB.
    public static let segment: ByteCount = .tebibytes(8)

    private let disk: any Disk
    private let path: String
    private let first: any DiskFile
    /// Segments after the first, in order.
    private let others: Guarded<[any DiskFile]>

    /// Opens the file with all segments that there are.
    public static func open(_ path: String, _ mode: OpenMode, on disk: any Disk) throws(DiskFailure) -> SegmentedFile {
        let first = try disk.open(path, mode)
        var others: [any DiskFile] = []
        while try disk.facts(name(path, others.count + 1)) != nil {
            others.append(try disk.open(name(path, others.count + 1), .readWrite))
        }
        return SegmentedFile(disk, path, first, others)
    }

    /// Removes the file with all its segments. The last go first: what a crash leaves is found again by name.
    public static func remove(_ path: String, on disk: any Disk) throws(DiskFailure) {
        var count = 1
        while try disk.facts(name(path, count)) != nil { count += 1 }
        for number in stride(from: count - 1, to: 0, by: -1) { try disk.remove(name(path, number)) }
        try disk.remove(path)
    }

    private static func name(_ path: String, _ number: Int) -> String { "\(path).\(number)" }

    private init(_ disk: any Disk, _ path: String, _ first: any DiskFile, _ others: [any DiskFile]) {
        self.disk = disk
        self.path = path
        self.first = first
        self.others = Guarded(others)
    }

    private var count: Int { others.withLock { $0.count } + 1 }
    private func file(_ number: Int) throws(BlockFailure) -> any DiskFile {
        if number == 0 { return first }
        return try others.withLock { (others) throws(BlockFailure) in
            guard number <= others.count else { throw .outOfRange }
            return others[number - 1]
        }
    }

    /// Runs `body` on each segment's share of `range`, in the segment's own offsets.
    private func forEach(
        _ range: ByteRange, _ body: (any DiskFile, ByteRange, Int) throws(BlockFailure) -> Void
    ) throws(BlockFailure) {
        var position = range.start
        while position < range.end {
            let number = position.bytes / Self.segment.bytes
            let base = number * Self.segment.bytes
            let end = min(range.end.bytes, base + Self.segment.bytes)
            let share = ByteRange(at: ByteOffset(position.bytes - base), count: ByteCount(end - position.bytes))
            try body(file(number), share, (position - range.start).bytes)
            position = ByteOffset(end)
        }
    }

    /// The sum of the segments' lengths.
    public func size() throws(BlockFailure) -> ByteCount {
        let last = count - 1
        return ByteCount(last * Self.segment.bytes + (try file(last).size()).bytes)
    }

    /// Makes segments as needed; never removes one.
    public func resize(to size: ByteCount) throws(BlockFailure) {
        let needed = max(1, (size.bytes + Self.segment.bytes - 1) / Self.segment.bytes)
        do throws(DiskFailure) {
            while count < needed {
                let made = try disk.open(Self.name(path, count), .create)
                others.withLock { $0.append(made) }
                try disk.syncDirectory(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".")
            }
        } catch { throw error.blockFailure }
        for number in 0..<count {
            let share = min(Self.segment.bytes, max(0, size.bytes - number * Self.segment.bytes))
            try file(number).resize(to: ByteCount(share))
        }
    }

    /// See ``DiskFile/read(at:into:)``.
    public func read(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) {
        if offset.bytes + target.byteCount <= Self.segment.bytes { return try first.read(at: offset, into: &target) }
        let range = ByteRange(at: offset, count: ByteCount(target.byteCount))
        var position = range.start
        while position < range.end {
            let (number, share, from) = Self.share(position, range)
            try target.withPart(from..<from + share.count.bytes) { (part) throws(BlockFailure) in
                try file(number).read(at: share.start, into: &part)
            }
            position += share.count
        }
    }

    private static func share(_ position: ByteOffset, _ range: ByteRange) -> (Int, ByteRange, Int) {
        let number = position.bytes / segment.bytes
        let base = number * segment.bytes
        let end = min(range.end.bytes, base + segment.bytes)
        let share = ByteRange(at: ByteOffset(position.bytes - base), count: ByteCount(end - position.bytes))
        return (number, share, (position - range.start).bytes)
    }

    /// See ``DiskFile/readIfCached(at:into:)``. Reads across segments count as not cached.
    public func readIfCached(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        let number = offset.bytes / Self.segment.bytes
        let base = number * Self.segment.bytes
        guard offset.bytes + target.byteCount <= base + Self.segment.bytes else { return false }
        return try file(number).readIfCached(at: ByteOffset(offset.bytes - base), into: &target)
    }

    /// See ``DiskFile/cachedPart(_:)``. Nil across segments.
    public func cachedPart(_ range: ByteRange) -> CachedPart? {
        let number = range.start.bytes / Self.segment.bytes
        let base = number * Self.segment.bytes
        guard range.end.bytes <= base + Self.segment.bytes, let file = try? file(number) else { return nil }
        return file.cachedPart(ByteRange(at: ByteOffset(range.start.bytes - base), count: range.count))
    }

    /// See ``DiskFile/write(_:at:durably:)``.
    public func write(_ source: RawSpan, at offset: ByteOffset, durably: Bool) throws(BlockFailure) {
        if offset.bytes + source.byteCount <= Self.segment.bytes {
            return try first.write(source, at: offset, durably: durably)
        }
        let range = ByteRange(at: offset, count: ByteCount(source.byteCount))
        var position = range.start
        while position < range.end {
            let (number, share, from) = Self.share(position, range)
            try file(number).write(
                source.extracting(from..<from + share.count.bytes), at: share.start, durably: durably)
            position += share.count
        }
    }

    /// See ``DiskFile/punch(_:)``.
    public func punch(_ range: ByteRange) throws(BlockFailure) {
        try forEach(range) { (file, share, _) throws(BlockFailure) in try file.punch(share) }
    }
    /// See ``DiskFile/zero(_:)``.
    public func zero(_ range: ByteRange) throws(BlockFailure) {
        try forEach(range) { (file, share, _) throws(BlockFailure) in try file.zero(share) }
    }
    /// See ``DiskFile/allocate(_:)``.
    public func allocate(_ range: ByteRange) throws(BlockFailure) {
        try forEach(range) { (file, share, _) throws(BlockFailure) in try file.allocate(share) }
    }

    /// See ``DiskFile/nextData(from:)``.
    public func nextData(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset? {
        var number = offset.bytes / Self.segment.bytes
        var within = ByteOffset(offset.bytes % Self.segment.bytes)
        while number < count {
            if let found = try file(number).nextData(from: within) {
                return ByteOffset(number * Self.segment.bytes + found.bytes)
            }
            number += 1
            within = 0
        }
        return nil
    }

    /// See ``DiskFile/nextHole(from:)``. A run of data may go on in the next segment.
    public func nextHole(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset {
        var number = offset.bytes / Self.segment.bytes
        var within = ByteOffset(offset.bytes % Self.segment.bytes)
        while number < count {
            let found = try file(number).nextHole(from: within)
            if found.bytes < Self.segment.bytes { return ByteOffset(number * Self.segment.bytes + found.bytes) }
            number += 1
            within = 0
        }
        return ByteOffset(number * Self.segment.bytes)
    }

    /// See ``DiskFile/startWriting(_:)``.
    public func startWriting(_ range: ByteRange) {
        // A segment that is not there has nothing to write.
        try? forEach(range) { file, share, _ in file.startWriting(share) }
    }
    /// Syncs every segment.
    public func sync() throws(BlockFailure) {
        try first.sync()
        for file in others.withLock({ $0 }) { try file.sync() }
    }
    /// Not for files of several segments.
    public func map(_ count: ByteCount) throws(BlockFailure) -> MappedMemory { throw .unsupported }
    /// Locks the first segment.
    public func lockExclusively() throws(BlockFailure) -> Bool { try first.lockExclusively() }
    /// Unlocks the first segment.
    public func unlock() { first.unlock() }
}
