public import Blocks

/// Immutable named objects: what a bucket is, and what a directory can be.
///
/// Calls block the calling thread and may come from several threads at once; call from an ``OSThread``, never from a
/// task. Keys are relative paths of `a-z A-Z 0-9 - _ .` and `/`, at most 512 bytes, no empty, `.` or `..` part.
/// Once ``put(_:at:)`` returned, the object survives power loss of this machine and every later call sees it.
public protocol ObjectStore: Sendable {
    /// Stores `bytes` at `key`, replacing what was there, all or nothing. Repeating the call is harmless.
    func put(_ bytes: RawSpan, at key: String) throws(StoreFailure)

    /// Stores `bytes` at `key` only if nothing is there. Of several callers exactly one wins.
    ///
    /// - Returns: false if an object was there; it is unchanged. After a lost response the object may be one's own:
    ///   read it back and compare.
    func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool

    /// The object, or the part of it in `range`. A range that ends past the object is ``StoreFailure/truncated(key:)``.
    func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8]

    /// The object's size, or nil if there is none.
    func size(of key: String) throws(StoreFailure) -> ByteCount?

    /// Every object whose key starts with `prefix`, in key order, at most `limit`, after `startAfter` if given.
    /// Fewer than `limit` means the listing is complete.
    func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry]

    /// Removes objects. Those that are not there are no error. Repeating the call is harmless.
    func delete(_ keys: [String]) throws(StoreFailure)
}

/// One line of a listing.
public struct ObjectEntry: Equatable, Sendable {
    /// The key.
    public var key: String
    /// Its size.
    public var size: ByteCount
    /// When it was stored, by the store's clock.
    public var modified: WallTime

    /// Makes a line.
    public init(key: String, size: ByteCount, modified: WallTime) {
        self.key = key
        self.size = size
        self.modified = modified
    }
}

/// Why a store refused: sorted by what the caller can do about it.
public enum StoreFailure: Error, Equatable, Sendable {
    /// There is no such object.
    case missing(key: String)
    /// The object ends before the range does.
    case truncated(key: String)
    /// Trying again later may help; the text says what happened.
    case transient(String)
    /// Trying again will not help (read-only, full, forbidden, malformed key); the text says what to look at.
    case permanent(String)
}

extension StoreFailure: CustomStringConvertible {
    /// One plain sentence.
    public var description: String {
        switch self {
        case .missing(let key): "the store has no object \(key)"
        case .truncated(let key): "the object \(key) is shorter than it should be"
        case .transient(let reason): "the store did not answer properly: \(reason)"
        case .permanent(let reason): "the store refused: \(reason)"
        }
    }
}
