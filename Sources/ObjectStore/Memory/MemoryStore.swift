public import Blocks

/// Objects in memory, gone with the process: for tests, and a model of what a store must do.
public final class MemoryStore: ObjectStore {
    private struct Object {
        var bytes: [UInt8]
        var modified: WallTime
    }
    private let objects = Guarded<[String: Object]>([:])
    private let clock: any HouseClock

    /// An empty store whose objects carry the time of `clock`.
    public init(clock: any HouseClock = SystemClock()) { self.clock = clock }

    /// See ``ObjectStore``.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        try ObjectKey.check(key)
        let object = Object(bytes: [UInt8](copying: bytes), modified: clock.now())
        objects.withLock { $0[key] = object }
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        try ObjectKey.check(key)
        let object = Object(bytes: [UInt8](copying: bytes), modified: clock.now())
        return objects.withLock { objects in
            if objects[key] != nil { return false }
            objects[key] = object
            return true
        }
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        try ObjectKey.check(key)
        guard let object = objects.withLock({ $0[key] }) else { throw .missing(key: key) }
        guard let range else { return object.bytes }
        guard range.fits(in: ByteCount(object.bytes.count)) else { throw .truncated(key: key) }
        return Array(object.bytes[range.start.bytes..<range.end.bytes])
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        try ObjectKey.check(key)
        return objects.withLock { $0[key].map { ByteCount($0.bytes.count) } }
    }

    /// See ``ObjectStore``.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        objects.withLock { objects in
            let keys = objects.keys.filter { $0.hasPrefix(prefix) && $0 > startAfter ?? "" }.sorted().prefix(limit)
            return keys.compactMap { key in
                objects[key].map {
                    ObjectEntry(key: key, size: ByteCount($0.bytes.count), modified: $0.modified)
                }
            }
        }
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        for key in keys { try ObjectKey.check(key) }
        objects.withLock { objects in
            for key in keys { objects[key] = nil }
        }
    }
}
