public import Blocks
internal import Synchronization

/// A store that fails as it is told to, call by call. For tests.
public final class FaultyStore: ObjectStore {
    /// What goes wrong with one call.
    public enum Fault: Equatable, Sendable {
        /// Nothing was done; trying again helps.
        case transient
        /// Nothing was done; trying again does not help.
        case permanent
        /// It was done, but the answer got lost: the caller sees a transient failure.
        case lostResponse
        /// A read returns only its first half.
        case truncatedRead
        /// A read returns one wrong bit, another one in each call.
        case flippedBit
    }
    /// One call.
    public struct Call: Equatable, Sendable {
        /// What is called.
        public enum Operation: Equatable, Sendable { case put, putIfAbsent, get, size, list, delete }
        /// Its number among all calls, from 1.
        public var number: Int
        /// What is called.
        public var operation: Operation
        /// The key, the prefix of a listing, or the first key of a deletion.
        public var key: String
    }

    private let store: any ObjectStore
    private let fault: @Sendable (Call) -> Fault?
    private let count = Atomic(0)

    /// Wraps `store`; `fault` decides for each call, on the thread that makes it.
    public init(_ store: any ObjectStore, fault: @escaping @Sendable (Call) -> Fault?) {
        self.store = store
        self.fault = fault
    }

    /// Calls so far.
    public var calls: Int { count.load(ordering: .relaxed) }

    /// See ``ObjectStore``.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        let fault = try begin(.put, key)
        try store.put(bytes, at: key)
        try end(fault)
    }

    /// See ``ObjectStore``.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        let fault = try begin(.putIfAbsent, key)
        let isNew = try store.putIfAbsent(bytes, at: key)
        try end(fault)
        return isNew
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        let number = calls
        let fault = try begin(.get, key)
        var bytes = try store.get(key, range: range)
        try end(fault)
        if fault == .truncatedRead { bytes.removeLast((bytes.count + 1) / 2) }
        if fault == .flippedBit, !bytes.isEmpty { bytes[(bytes.count / 2 + number) % bytes.count] ^= 0x10 }
        return bytes
    }

    /// See ``ObjectStore``.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        let fault = try begin(.size, key)
        let size = try store.size(of: key)
        try end(fault)
        return size
    }

    /// See ``ObjectStore``.
    public func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        let fault = try begin(.list, prefix)
        let entries = try store.list(prefix: prefix, startAfter: startAfter, limit: limit)
        try end(fault)
        return entries
    }

    /// See ``ObjectStore``.
    public func delete(_ keys: [String]) throws(StoreFailure) {
        let fault = try begin(.delete, keys.first ?? "")
        try store.delete(keys)
        try end(fault)
    }

    private func begin(_ operation: Call.Operation, _ key: String) throws(StoreFailure) -> Fault? {
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        let fault = fault(Call(number: number, operation: operation, key: key))
        if fault == .transient { throw .transient("injected in call \(number)") }
        if fault == .permanent { throw .permanent("injected in call \(number)") }
        return fault
    }

    private func end(_ fault: Fault?) throws(StoreFailure) {
        if fault == .lostResponse { throw .transient("the answer was lost") }
    }
}
