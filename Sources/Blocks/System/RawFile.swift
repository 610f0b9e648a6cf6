internal import CLinux
internal import Glibc
internal import Synchronization

/// An open file of the local disk. Short reads and writes and interrupted calls are finished here.
///
/// After one failed `fdatasync` the kernel may have dropped the pages it could not write, so a retry that succeeds
/// proves nothing: the file is poisoned and every later ``sync()`` and durable write fails.
final class RawFile: DiskFile {
    /// A write is cut into pieces of this size. The page cache keeps a long one in pieces as long as it was written in, up to
    /// 1 MiB, and ext4 walks through all blocks of a piece for each later write into it, however short: 12 us for 4 KiB in
    /// 1 MiB, 3 us in 64 KiB (Linux 6.18).
    private static let pieceMax = 64 << 10

    private let descriptor: OwnedDescriptor
    private let isPoisoned = Atomic(false)
    /// The kernel tells of a failed write-back once: of two syncs at the same time, one learns of it. So one after another.
    private let syncing = Guarded(())
    /// Does the file system answer cached-only reads? Learned from the first one that it refuses.
    private let hasCachedReads = Atomic(true)

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    func size() throws(BlockFailure) -> ByteCount {
        var found = varve_stat()
        let status = unsafe varve_stat_fd(descriptor.bare, &found)
        if status < 0 { throw BlockFailure(errno: -status) }
        return ByteCount(Int(found.size))
    }

    func resize(to size: ByteCount) throws(BlockFailure) {
        let status = descriptor.call { ftruncate($0, size.bytes) == 0 ? 0 : -errno }
        if status < 0 { throw BlockFailure(errno: -status) }
    }

    func read(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) {
        let failure = unsafe target.withUnsafeMutableBytes { all -> Int in
            var done = 0
            while done < all.count {
                let moved = descriptor.call {
                    unsafe varve_pread(
                        $0, all.baseAddress.unsafelyUnwrapped + done, all.count - done, Int64(offset.bytes + done))
                }
                if moved < 0 { return moved }
                if moved == 0 {
                    unsafe memset(all.baseAddress.unsafelyUnwrapped + done, 0, all.count - done)
                    return 0
                }
                done += moved
            }
            return 0
        }
        if failure < 0 { throw BlockFailure(errno: Int32(-failure)) }
    }

    func readIfCached(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        guard hasCachedReads.load(ordering: .relaxed) else { return false }
        let moved = unsafe target.withUnsafeMutableBytes { all in
            descriptor.call {
                unsafe varve_pread_nowait($0, all.baseAddress, all.count, Int64(offset.bytes))
            }
        }
        if moved == target.byteCount { return true }
        if moved == -Int(EOPNOTSUPP) { hasCachedReads.store(false, ordering: .relaxed) }
        if moved < 0, moved != -Int(EAGAIN), moved != -Int(EOPNOTSUPP) { throw BlockFailure(errno: Int32(-moved)) }
        return false
    }

    func cachedPart(_ range: ByteRange) -> CachedPart? {
        guard !range.isEmpty else { return nil }
        let pages = (range.end.bytes + 4095) / 4096 - range.start.bytes / 4096
        let cached = descriptor.call { varve_cached_pages($0, Int64(range.start.bytes), Int64(range.count.bytes)) }
        return cached == Int64(pages) ? CachedPart(file: self, start: range.start, count: range.count) : nil
    }

    /// sendfile(2) of up to `count` bytes from `offset`. Returns how many went, 0 at the end of the file, or -errno.
    func send(_ count: Int, from offset: ByteOffset, to socket: Int32) -> Int {
        descriptor.call { varve_send_file(socket, $0, Int64(offset.bytes), count) }
    }

    func write(_ source: RawSpan, at offset: ByteOffset, durably: Bool) throws(BlockFailure) {
        if durably, isPoisoned.load(ordering: .relaxed) { throw .failed }
        let failure = unsafe source.withUnsafeBytes { all -> Int in
            var done = 0
            while done < all.count {
                let moved = descriptor.call {
                    let from = unsafe all.baseAddress.unsafelyUnwrapped + done
                    let at = Int64(offset.bytes + done)
                    return durably
                        ? unsafe varve_pwrite_durable($0, from, all.count - done, at)
                        : unsafe varve_pwrite($0, from, min(all.count - done, Self.pieceMax), at)
                }
                if moved < 0 { return moved }
                done += moved
            }
            return 0
        }
        if failure < 0 {
            if durably, failure == -Int(EIO) { isPoisoned.store(true, ordering: .relaxed) }
            throw BlockFailure(errno: Int32(-failure))
        }
    }

    func punch(_ range: ByteRange) throws(BlockFailure) {
        try space(range) { varve_punch($0, $1, $2) }
    }
    func zero(_ range: ByteRange) throws(BlockFailure) {
        try space(range) { varve_zero($0, $1, $2) }
    }
    func allocate(_ range: ByteRange) throws(BlockFailure) {
        try space(range) { varve_allocate($0, $1, $2) }
    }
    private func space(_ range: ByteRange, _ body: (Int32, Int64, Int64) -> Int32) throws(BlockFailure) {
        guard !range.isEmpty else { return }
        let status = descriptor.call { body($0, Int64(range.start.bytes), Int64(range.count.bytes)) }
        if status < 0 { throw BlockFailure(errno: -status) }
    }

    func nextData(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset? {
        let found = descriptor.call { varve_seek_data($0, Int64(offset.bytes)) }
        if found == -Int64(ENXIO) { return nil }
        if found < 0 { throw BlockFailure(errno: Int32(-found)) }
        return ByteOffset(Int(found))
    }
    func nextHole(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset {
        let found = descriptor.call { varve_seek_hole($0, Int64(offset.bytes)) }
        if found == -Int64(ENXIO) { return offset }
        if found < 0 { throw BlockFailure(errno: Int32(-found)) }
        return ByteOffset(Int(found))
    }

    func startWriting(_ range: ByteRange) {
        // The kernel's own write-back may come at any time; this is that, sooner. Without a wait in it the call takes no error
        // from the file: `sync` still finds it.
        _ = descriptor.call { varve_start_writing($0, Int64(range.start.bytes), Int64(range.count.bytes)) }
    }

    func sync() throws(BlockFailure) {
        try syncing.withLock { (_) throws(BlockFailure) in
            if isPoisoned.load(ordering: .relaxed) { throw .failed }
            let status = descriptor.call { varve_fdatasync($0) }
            if status < 0 {
                isPoisoned.store(true, ordering: .relaxed)
                throw BlockFailure(errno: -status)
            }
            // A durable write beside it may have been told instead.
            if isPoisoned.load(ordering: .relaxed) { throw .failed }
        }
    }

    func map(_ count: ByteCount) throws(BlockFailure) -> MappedMemory {
        try MappedMemory(descriptor: descriptor.bare, count: count, owner: self)
    }

    func lockExclusively() throws(BlockFailure) -> Bool {
        let status = descriptor.call { varve_lock_exclusive($0) }
        if status == -EWOULDBLOCK { return false }
        if status < 0 { throw BlockFailure(errno: -status) }
        return true
    }

    func unlock() { _ = descriptor.call { varve_unlock($0) } }
}
