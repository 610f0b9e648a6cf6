public import Blocks

/// Finds out whether a store can hold a repository: does what Varve does to it, below a prefix of its own, and looks.
///
/// Blocks. Leaves nothing behind unless the store stops answering, or may not delete; the prefix is `check-` and a random
/// number.
public struct StoreCheck: Sendable {
    /// What is asked of a store, in the order it is tried.
    public enum Ability: String, CaseIterable, Sendable {
        case write, read, replace, condition, race, ranges, listing, pages, parts, delete
        /// What a person reads.
        public var text: String {
            switch self {
            case .write: "stores an object"
            case .read: "returns it whole, and knows its size"
            case .replace: "replaces an object"
            case .condition: "refuses to replace an object if asked to (conditional put)"
            case .race: "lets exactly one of eight conditional puts win"
            case .ranges: "returns parts of an object"
            case .listing: "lists an object at once, in key order"
            case .pages: "lists page by page"
            case .parts: "stores an object of 72 MiB"
            case .delete: "deletes one object and many, and shows it at once"
            }
        }
    }
    /// How one ability came out.
    public struct Finding: Sendable {
        /// What was tried.
        public var ability: Ability
        /// What went wrong, or nil.
        public var problem: String?
        /// How long it took.
        public var time: Duration
    }

    private let store: any ObjectStore
    private let clock: any HouseClock
    private let folder: String

    /// A check of `store`.
    public init(_ store: any ObjectStore, clock: any HouseClock = SystemClock()) {
        self.store = store
        self.clock = clock
        folder = "check-\(String(UInt64.random(in: .min ... .max), radix: 36))/"
    }

    /// Tries `abilities` one by one, telling each outcome; ends at the first request that the store does not answer at all.
    ///
    /// - Returns: can it hold a repository, as far as was tried?
    public func run(_ abilities: [Ability] = Ability.allCases, tell: (Finding) -> Void) -> Bool {
        var isGood = true
        for ability in abilities {
            let begun = clock.uptime()
            let problem = trial(of: ability)
            tell(Finding(ability: ability, problem: problem, time: clock.uptime() - begun))
            if problem != nil { isGood = false }
            if problem != nil, ability == .write { return false }
        }
        // What a failed deletion left behind was told already.
        if let left = try? store.list(prefix: folder, startAfter: nil, limit: 1000).map(\.key) {
            try? store.delete(left)
        }
        return isGood
    }

    private func trial(of ability: Ability) -> String? {
        do {
            return switch ability {
            case .write: try write()
            case .read: try read()
            case .replace: try replace()
            case .condition: try condition()
            case .race: try race()
            case .ranges: try ranges()
            case .listing: try listing()
            case .pages: try pages()
            case .parts: try parts()
            case .delete: try delete()
            }
        } catch { return "\(error)" }
    }

    private func put(_ bytes: [UInt8], _ name: String) throws(StoreFailure) {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: folder + name) }
    }
    private func putIfAbsent(_ bytes: [UInt8], _ name: String) throws(StoreFailure) -> Bool {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.putIfAbsent(span, at: folder + name) }
    }
    private static func pattern(_ count: Int, _ seed: Int = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
    }

    private func write() throws(StoreFailure) -> String? {
        try put(Self.pattern(100_000), "a")
        return nil
    }

    private func read() throws(StoreFailure) -> String? {
        guard try store.get(folder + "a", range: nil) == Self.pattern(100_000) else { return "other bytes came back" }
        guard try store.size(of: folder + "a") == ByteCount(100_000) else { return "it tells a wrong size" }
        return try store.size(of: folder + "none") == nil ? nil : "it tells a size for what is not there"
    }

    private func replace() throws(StoreFailure) -> String? {
        try put(Self.pattern(10, 7), "a")
        return try store.get(folder + "a", range: nil) == Self.pattern(10, 7) ? nil : "the old bytes came back"
    }

    private func condition() throws(StoreFailure) -> String? {
        guard try putIfAbsent([1], "once") else { return "it says that an object is there which is not" }
        guard try !putIfAbsent([2], "once") else {
            return "it replaced the object: this store cannot hold a repository"
        }
        return try store.get(folder + "once", range: nil) == [1]
            ? nil : "it said no and replaced the object all the same"
    }

    private func race() throws(StoreFailure) -> String? {
        let winners = Guarded(0)
        let threads = (0..<8).map { number in
            OSThread(name: "check") {
                if (try? putIfAbsent(Self.pattern(1000, number), "race")) == true { winners.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        let count = winners.withLock { $0 }
        return count == 1 ? nil : "\(count) of them won: this store cannot hold a repository"
    }

    private func ranges() throws(StoreFailure) -> String? {
        let bytes = Self.pattern(9000)
        try put(bytes, "ranges")
        for (start, count) in [(0, 1), (4095, 2), (8999, 1), (0, 9000)] {
            let range = ByteRange(at: ByteOffset(start), count: ByteCount(count))
            guard try store.get(folder + "ranges", range: range) == Array(bytes[start..<start + count]) else {
                return "other bytes came for \(start) to \(start + count)"
            }
        }
        return nil
    }

    private func listing() throws(StoreFailure) -> String? {
        let names = ["l/a-b/c", "l/a.b", "l/a/c", "l/a0", "l/b"]
        for name in names.reversed() { try put([1, 2, 3], name) }
        let found = try store.list(prefix: folder + "l/", startAfter: nil, limit: 100)
        guard found.map(\.key) == names.map({ folder + $0 }) else { return "it lists \(found.map(\.key))" }
        return found.allSatisfy { $0.size == 3 } ? nil : "it lists wrong sizes"
    }

    private func pages() throws(StoreFailure) -> String? {
        var found: [String] = []
        while found.count < 100 {
            let page = try store.list(prefix: folder + "l/", startAfter: found.last, limit: 2)
            found += page.map(\.key)
            if page.count < 2 { break }
        }
        return found.count == 5 && found == found.sorted() ? nil : "page by page it lists \(found)"
    }

    private func parts() throws(StoreFailure) -> String? {
        let bytes = [UInt8](repeating: 0x5a, count: 71 << 20) + Self.pattern(1 << 20)
        try put(bytes, "large")
        guard try store.size(of: folder + "large") == ByteCount(bytes.count) else { return "it tells a wrong size" }
        let range = ByteRange(at: ByteOffset(71 << 20), count: .mebibytes(1))
        return try store.get(folder + "large", range: range) == Self.pattern(1 << 20) ? nil : "other bytes came back"
    }

    private func delete() throws(StoreFailure) -> String? {
        let keys = try store.list(prefix: folder, startAfter: nil, limit: 1000).map(\.key)
        if let first = keys.first { try store.delete([first]) }
        try store.delete(keys)
        return try store.list(prefix: folder, startAfter: nil, limit: 1000).isEmpty ? nil : "it still lists them"
    }
}
