/// A local file system as the rest of the house sees it: the seam that tests replace with a simulated disk.
///
/// Paths are absolute or relative to the process. All calls block. Names become durable only with
/// ``syncDirectory(_:)``; contents only with ``DiskFile/sync()``.
public protocol Disk: Sendable {
    /// Opens a file. `.create` makes an empty one if there is none, `.createNew` fails if there is one.
    func open(_ path: String, _ mode: OpenMode) throws(DiskFailure) -> any DiskFile
    /// Makes a directory and any missing ones above it. No error if it exists.
    func makeDirectory(_ path: String) throws(DiskFailure)
    /// The names in a directory, sorted, without `.` and `..`.
    func list(_ path: String) throws(DiskFailure) -> [String]
    /// Removes a file. No error if there is none.
    func remove(_ path: String) throws(DiskFailure)
    /// Removes a directory and all in it. No error if there is none.
    func removeTree(_ path: String) throws(DiskFailure)
    /// Renames a file or directory, replacing a file at `target`.
    func rename(_ path: String, to target: String) throws(DiskFailure)
    /// Renames a file unless `target` exists. Atomic.
    /// - Returns: false if `target` exists already; nothing was changed then.
    func renameIfAbsent(_ path: String, to target: String) throws(DiskFailure) -> Bool
    /// Makes the names in a directory durable.
    func syncDirectory(_ path: String) throws(DiskFailure)
    /// Facts about a path, or nil if there is nothing.
    func facts(_ path: String) throws(DiskFailure) -> FileFacts?
    /// Bytes that may still be written to the file system that holds `path`.
    func freeSpace(_ path: String) throws(DiskFailure) -> ByteCount
}

/// How to open a file.
public enum OpenMode: Sendable {
    case readOnly, readWrite, create, createNew
}

/// Facts about a file or directory.
public struct FileFacts: Equatable, Sendable {
    /// Length in bytes.
    public var size: ByteCount
    /// Bytes that take up space.
    public var allocated: ByteCount
    /// Is it a directory?
    public var isDirectory: Bool
    /// The file system's device number.
    public var device: UInt64
    /// The number of the file on its file system.
    public var inode: UInt64
    /// Last change of the contents, in seconds since 1970-01-01 UTC.
    public var modified: Int64
    /// Who may do what: the twelve permission bits.
    public var permissions: UInt32

    /// Makes a record of facts.
    public init(
        size: ByteCount, allocated: ByteCount, isDirectory: Bool, device: UInt64, inode: UInt64, modified: Int64,
        permissions: UInt32 = 0o600
    ) {
        self.size = size
        self.allocated = allocated
        self.isDirectory = isDirectory
        self.device = device
        self.inode = inode
        self.modified = modified
        self.permissions = permissions
    }
}

/// One open file. Closed when the last reference goes.
public protocol DiskFile: AnyObject, Sendable {
    /// Length in bytes.
    func size() throws(BlockFailure) -> ByteCount
    /// Cuts or lengthens (with a hole).
    func resize(to size: ByteCount) throws(BlockFailure)
    /// Fills `target` from `offset`. What lies past the end of the file reads as zeros.
    func read(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure)
    /// Like ``read(at:into:)`` when all of it is in memory; false, with `target` perhaps partly filled, otherwise.
    func readIfCached(at offset: ByteOffset, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool
    /// The bytes of `range` where they are, if all of them are in memory and this kind of file can say so.
    func cachedPart(_ range: ByteRange) -> CachedPart?
    /// Writes all of `source`. With `durably`, these bytes survive power loss when the call returns.
    func write(_ source: RawSpan, at offset: ByteOffset, durably: Bool) throws(BlockFailure)
    /// Makes a range a hole; partly covered file system blocks are zeroed.
    func punch(_ range: ByteRange) throws(BlockFailure)
    /// Makes a range read as zeros and keeps (or takes) the space.
    func zero(_ range: ByteRange) throws(BlockFailure)
    /// Takes space for a range without changing what it reads as.
    func allocate(_ range: ByteRange) throws(BlockFailure)
    /// The first byte at or after `offset` that is data, or nil up to the end of the file.
    func nextData(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset?
    /// The first byte at or after `offset` that is a hole (the end of the file counts as one).
    func nextHole(from offset: ByteOffset) throws(BlockFailure) -> ByteOffset
    /// Begins to bring what was written of `range` to the disk and does not wait: a later ``sync()`` then has less to do. Promises
    /// nothing; what goes wrong, that sync says.
    func startWriting(_ range: ByteRange)
    /// fdatasync: everything written before survives power loss. After one failure every later call fails too.
    func sync() throws(BlockFailure)
    /// Maps the file's first `count` bytes, shared: what is stored in memory is in the file after kill -9.
    /// A page must be allocated (``allocate(_:)``) before it is first stored to.
    func map(_ count: ByteCount) throws(BlockFailure) -> MappedMemory
    /// Takes the lock that only one process may hold; false if another has it. Released when the file closes.
    func lockExclusively() throws(BlockFailure) -> Bool
    /// Gives the lock back at once. Closing alone may come late: a program that is just being started holds every open
    /// file for a moment, and the lock with it.
    func unlock()
}

/// Why an operation on names failed: the call, the path and the kernel's reason.
public struct DiskFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel's error number.
    public let errno: Int32
    /// What was tried, as a verb: "open", "rename".
    public let action: String
    /// On which path.
    public let path: String

    /// Makes a failure.
    public init(errno: Int32, action: String, path: String) {
        self.errno = errno
        self.action = action
        self.path = path
    }

    /// "cannot open /x/y: No such file or directory".
    public var description: String { "cannot \(action) \(path): \(ErrnoText.of(errno))" }
    /// The same failure as a data path error.
    public var blockFailure: BlockFailure { BlockFailure(errno: errno) }
    /// Is it that the file is not there?
    public var isMissing: Bool { errno == 2 }
}

extension DiskFile {
    /// Nil: not every kind of file can say.
    public func cachedPart(_ range: ByteRange) -> CachedPart? { nil }
    /// Nothing: it need not begin early.
    public func startWriting(_ range: ByteRange) {}
}
