internal import Blocks
internal import Synchronization

/// An open file of a ``SimulatedDisk``.
final class SimulatedFile: DiskFile {
    private let mount: SimulatedMount
    private let path: String
    private let file: Int
    private let handle: Int
    private let isReadOnly: Bool
    private let isPoisoned = Atomic(false)

    init(_ mount: SimulatedMount, path: String, file: Int, handle: Int, isReadOnly: Bool) {
        self.mount = mount
        self.path = path
        self.file = file
        self.handle = handle
        self.isReadOnly = isReadOnly
    }
    deinit { mount.disk.closed(file, handle: handle, life: mount.life) }

    private func perform<R: Sendable>(
        _ kind: DiskOperation.Kind,
        _ body: (inout SimulatedInode, inout Platter, Bool) throws(BlockFailure) -> R
    ) throws(BlockFailure) -> R {
        if kind.isChange, kind != .sync, isReadOnly { throw .io(errno: 9) }  // EBADF
        return try mount.disk.perform(kind, path, life: mount.life) { (platter, effort) throws(BlockFailure) in
            try platter.with(file) { (inode, platter) throws(BlockFailure) in
                try body(&inode, &platter, effort.isHalf)
            }
        }
    }

    func size() throws(BlockFailure) -> ByteCount {
        ByteCount(try perform(.size) { (inode, _, _) throws(BlockFailure) in inode.size })
    }

    func resize(to size: ByteCount) throws(BlockFailure) {
        try perform(.resize) { (inode, platter, _) throws(BlockFailure) in
            try inode.resize(to: size.bytes, &platter.freePages)
        }
    }

    func read(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) {
        try perform(.read) { (inode, _, _) throws(BlockFailure) in inode.read(at: offset.bytes, into: &target) }
    }

    func readIfCached(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        try read(at: offset, into: &target)
        return true
    }

    func write(_ source: RawSpan, at offset: ByteOffset, durably: Bool) throws(BlockFailure) {
        if durably, isPoisoned.load(ordering: .relaxed) { throw .failed }
        do {
            try perform(.write) { (inode, platter, isHalf) throws(BlockFailure) in
                let pages = source.byteCount / PageContent.size + 2
                let most = isHalf ? platter.random.below(pages) : pages
                try inode.write(
                    source, at: offset.bytes, durably: durably && !isHalf, pagesMax: most,
                    &platter.freePages)
            }
        } catch {
            if durably, error == .io(errno: 5) { isPoisoned.store(true, ordering: .relaxed) }
            throw error
        }
    }

    func punch(_ range: ByteRange) throws(BlockFailure) {
        try space(.punch, range) { (inode, range, free) throws(BlockFailure) in try inode.punch(range, &free) }
    }
    func zero(_ range: ByteRange) throws(BlockFailure) {
        try space(.zero, range) { (inode, range, free) throws(BlockFailure) in try inode.zero(range, &free) }
    }
    func allocate(_ range: ByteRange) throws(BlockFailure) {
        try space(.allocate, range) { (inode, range, free) throws(BlockFailure) in try inode.allocate(range, &free) }
    }
    private func space(
        _ kind: DiskOperation.Kind, _ range: ByteRange,
        _ body: (inout SimulatedInode, Range<Int>, inout Int) throws(BlockFailure) -> Void
    ) throws(BlockFailure) {
        guard !range.isEmpty else { return }
        try perform(kind) { (inode, platter, _) throws(BlockFailure) in
            try body(&inode, range.start.bytes..<range.end.bytes, &platter.freePages)
        }
    }

    func nextData(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset? {
        try perform(.seek) { (inode, _, _) throws(BlockFailure) in
            inode.nextData(from: offset.bytes).map { ByteOffset($0) }
        }
    }
    func nextHole(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset {
        try perform(.seek) { (inode, _, _) throws(BlockFailure) in ByteOffset(inode.nextHole(from: offset.bytes)) }
    }

    func sync() throws(BlockFailure) {
        if isPoisoned.load(ordering: .relaxed) { throw .failed }
        do {
            try mount.disk.performSync(path, file, life: mount.life)
        } catch {
            isPoisoned.store(true, ordering: .relaxed)
            throw error
        }
    }

    func map(_ count: ByteCount) throws(BlockFailure) -> MappedMemory {
        precondition(count.bytes > 0 && count.isMultiple(of: Block.size))
        let memory = try perform(.map) { (inode, _, _) throws(BlockFailure) in
            inode.map(count.bytes / PageContent.size, reserve: SimulatedDisk.mappingReserve)
        }
        let mount = mount, path = path, file = file
        return MappedMemory(sharing: memory, count: count) { () throws(BlockFailure) in
            try mount.disk.performSync(path, file, life: mount.life)
        }
    }

    func lockExclusively() throws(BlockFailure) -> Bool {
        try perform(.lock) { (inode, _, _) throws(BlockFailure) in
            guard inode.lockHolder == nil || inode.lockHolder == handle else { return false }
            inode.lockHolder = handle
            return true
        }
    }

    func unlock() {
        try? perform(.lock) { (inode, _, _) throws(BlockFailure) in
            if inode.lockHolder == handle { inode.lockHolder = nil }
        }
    }
}

extension SimulatedDisk {
    /// fdatasync or msync. A failure, whoever wanted it, loses what was dirty.
    func performSync(_ path: String, _ file: Int, life: Int) throws(BlockFailure) {
        do {
            try perform(.sync, path, life: life) { (platter, _) throws(BlockFailure) in
                if platter.takeSyncFailure(of: path) { throw .io(errno: 5) }
                try platter.with(file) { (inode, _) throws(BlockFailure) in inode.sync() }
            }
        } catch {
            failSync(file, life: life)
            throw error
        }
    }
}
