public import Blocks
internal import Synchronization

/// Objects as files below one directory: the store for one machine, a mounted share, or a disk to carry away.
///
/// An object is written to `.tmp/`, synced, renamed into place, and its directory synced: all or nothing, also at power
/// loss. Leftovers in `.tmp/` are removed when the store is opened by the only process that writes to it
/// (``removeLeftovers()``). Directories stay when their last object goes.
///
/// A file system that is not mounted any more leaves an empty directory, or none: nothing is put there, and nothing is called
/// missing (``StorePlace``).
public final class DirectoryStore: ObjectStore {
    private let root: String
    private let disk: any Disk
    private let nextTemporary = Atomic(0)
    private let unique: String
    private let place: StorePlace
    /// Directories known to exist with all their names durable.
    private let knownDirectories = Guarded<Set<String>>([])

    /// The store in `directory`, which is made if it is not there.
    ///
    /// - Throws: ``StoreFailure/permanent(_:)`` if it cannot be made or is not a directory.
    public init(at directory: String, on disk: any Disk = LocalDisk()) throws(StoreFailure) {
        root = directory
        self.disk = disk
        unique = String(UInt64.random(in: .min ... .max), radix: 36)
        place = StorePlace(directory, on: disk)
        do {
            if let facts = try disk.facts(directory) {
                if !facts.isDirectory { throw StoreFailure.permanent("\(directory) is not a directory") }
            } else {
                try disk.makeDirectory(directory)
            }
        } catch let failure as StoreFailure {
            throw failure
        } catch let failure as DiskFailure {
            throw .permanent("\(failure)")
        } catch {
            throw .permanent("\(error)")
        }
        _ = try place.check()
    }

    /// See ``ObjectStore``.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        try ObjectKey.check(key)
        try checkPlace()
        let temporary = try writeTemporary(bytes, key)
        let target = path(key)
        let folder = try makeFolder(of: key)
        try onDisk(key) { () throws(DiskFailure) in
            try disk.rename(temporary, to: target)
            try disk.syncDirectory(folder)
        }
        place.note(key)
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        try ObjectKey.check(key)
        try checkPlace()
        let temporary = try writeTemporary(bytes, key)
        let target = path(key)
        let folder = try makeFolder(of: key)
        let isNew = try onDisk(key) { () throws(DiskFailure) in
            let isNew = try disk.renameIfAbsent(temporary, to: target)
            if !isNew { try disk.remove(temporary) }
            // Also when it was there: whoever put it may not have synced the name yet.
            try disk.syncDirectory(folder)
            return isNew
        }
        place.note(key)
        return isNew
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        try ObjectKey.check(key)
        let file = try onDisk(key) { () throws(DiskFailure) in try disk.open(path(key), .readOnly) }
        place.note(key)
        do {
            let size = try file.size()
            let wanted = range ?? ByteRange(at: 0, count: size)
            guard wanted.fits(in: size) else { throw StoreFailure.truncated(key: key) }
            var bytes = [UInt8](repeating: 0, count: wanted.count.bytes)
            try bytes.writeBytes { (target) throws(BlockFailure) in try file.read(at: wanted.start, into: &target) }
            return bytes
        } catch let failure as BlockFailure {
            throw DirectoryStore.failure(failure, key: key)
        } catch let failure as StoreFailure {
            throw failure
        } catch {
            throw .permanent("\(error)")
        }
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        try ObjectKey.check(key)
        let facts = try onDisk(key) { () throws(DiskFailure) in try disk.facts(path(key)) }
        guard let facts, !facts.isDirectory else {
            try checkPlace()
            return nil
        }
        place.note(key)
        return facts.size
    }

    /// See ``ObjectStore``. Walks only the folders that the answer needs.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        var walk = DirectoryWalk(prefix: prefix, startAfter: startAfter, limit: limit)
        try onDisk(prefix) { () throws(DiskFailure) in try walk.run(disk: disk, root: root) }
        // Afterwards: what was listed of another directory must not count.
        try checkPlace()
        return walk.found
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        for key in keys { try ObjectKey.check(key) }
        try checkPlace()
        var folders: Set<String> = []
        for key in keys {
            try onDisk(key) { () throws(DiskFailure) in try disk.remove(path(key)) }
            folders.insert(folderPath(of: key))
        }
        for folder in folders {
            try onDisk(folder) { () throws(DiskFailure) in
                if try disk.facts(folder) != nil { try disk.syncDirectory(folder) }
            }
        }
    }

    /// Removes what puts that never ended left behind. Only while no other process writes to the directory.
    public func removeLeftovers() throws(StoreFailure) {
        try onDisk("") { () throws(DiskFailure) in try disk.removeTree(root + "/.tmp") }
        knownDirectories.withLock { $0.removeAll() }
    }

    // MARK: Names

    private func checkPlace() throws(StoreFailure) {
        if try place.check() { knownDirectories.withLock { $0.removeAll() } }
    }

    private func path(_ key: String) -> String { root + "/" + key }

    private func folderPath(of key: String) -> String {
        guard let slash = key.lastIndex(of: "/") else { return root }
        return root + "/" + key[..<slash]
    }

    /// Makes the folders above `key` and their names durable, once each.
    private func makeFolder(of key: String) throws(StoreFailure) -> String {
        let folder = folderPath(of: key)
        if knownDirectories.withLock({ $0.contains(folder) }) { return folder }
        try onDisk(key) { () throws(DiskFailure) in
            try disk.makeDirectory(folder)
            var above = root
            try disk.syncDirectory(above)
            for part in folder.dropFirst(root.count).split(separator: "/") {
                above += "/" + part
                try disk.syncDirectory(above)
            }
        }
        knownDirectories.withLock { _ = $0.insert(folder) }
        return folder
    }

    // MARK: Writing

    private func writeTemporary(_ bytes: RawSpan, _ key: String) throws(StoreFailure) -> String {
        _ = try makeFolder(of: ".tmp/x")
        let number = nextTemporary.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = root + "/.tmp/\(unique)-\(number)"
        do {
            let file = try disk.open(temporary, .createNew)
            try file.write(bytes, at: 0, durably: false)
            try file.sync()
            return temporary
        } catch {
            // The reason is the first failure; a leftover is removed by `removeLeftovers`.
            try? disk.remove(temporary)
            if let failure = error as? DiskFailure {
                if failure.isMissing { try checkPlace() }
                throw DirectoryStore.failure(failure, key: key)
            }
            if let failure = error as? BlockFailure { throw DirectoryStore.failure(failure, key: key) }
            throw .permanent("\(error)")
        }
    }

    // MARK: Failures

    private func onDisk<R>(_ key: String, _ body: () throws(DiskFailure) -> R) throws(StoreFailure) -> R {
        do { return try body() } catch {
            if error.isMissing { try checkPlace() }
            throw DirectoryStore.failure(error, key: key)
        }
    }

    private static func failure(_ failure: DiskFailure, key: String) -> StoreFailure {
        switch failure.errno {
        case 2, 20: .missing(key: key)  // ENOENT, ENOTDIR
        case 21 where failure.action == "open": .missing(key: key)  // EISDIR: a folder of that name is no object
        case 28, 122: .permanent("\(failure): free space in the store's directory")
        case 30: .permanent("\(failure): the store's directory is read-only")
        case 1, 13: .permanent("\(failure): check the owner and mode of the store's directory")
        case 4, 11, 23, 24: .transient("\(failure)")  // EINTR, EAGAIN, ENFILE, EMFILE
        default: .permanent("\(failure)")
        }
    }

    private static func failure(_ failure: BlockFailure, key: String) -> StoreFailure {
        switch failure {
        case .noSpace: .permanent("the store's file system is full while writing \(key)")
        case .readOnly: .permanent("the store's file system is read-only, \(key) was not written")
        case .io(errno: 21): .missing(key: key)  // EISDIR: a folder of that name is no object
        case .io(let errno): .permanent("input/output error on \(key): \(ErrnoText.of(errno))")
        case .outOfRange, .corrupt, .unavailable, .unsupported, .failed: .permanent("\(failure) on \(key)")
        }
    }
}
