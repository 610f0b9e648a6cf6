internal import Blocks
public import ObjectStore
internal import Testing

/// What every object store must keep, whatever it is made of. Run each law against a fresh, empty store:
/// `@Test(arguments: ObjectStoreLaw.allCases) func law(_ law: ObjectStoreLaw) throws { try law.check(store) }`
public enum ObjectStoreLaw: String, CaseIterable, Sendable {
    case putThenGet, putReplaces, emptyObject, rangedReads, rangePastTheEnd, missingObjects
    case conditionalPutNeverReplaces, oneWinnerOfManyThreads, sizes
    case listsInKeyOrder, listsAPrefix, listsInPages, deletesManyAndMissing, refusesBadKeys, concurrentPutsOfOneKey

    /// Checks this law on an empty store.
    public func check(_ store: any ObjectStore) throws {
        switch self {
        case .putThenGet: try checkPutThenGet(store)
        case .putReplaces: try checkPutReplaces(store)
        case .emptyObject: try checkEmptyObject(store)
        case .rangedReads: try checkRangedReads(store)
        case .rangePastTheEnd: try checkRangePastTheEnd(store)
        case .missingObjects: try checkMissingObjects(store)
        case .conditionalPutNeverReplaces: try checkConditionalPut(store)
        case .oneWinnerOfManyThreads: try checkOneWinner(store)
        case .sizes: try checkSizes(store)
        case .listsInKeyOrder: try checkOrder(store)
        case .listsAPrefix: try checkPrefix(store)
        case .listsInPages: try checkPages(store)
        case .deletesManyAndMissing: try checkDelete(store)
        case .refusesBadKeys: checkBadKeys(store)
        case .concurrentPutsOfOneKey: try checkConcurrentPuts(store)
        }
    }

    private func put(_ bytes: [UInt8], _ key: String, _ store: any ObjectStore) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }
    private func putIfAbsent(_ bytes: [UInt8], _ key: String, _ store: any ObjectStore) throws -> Bool {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.putIfAbsent(span, at: key) }
    }
    private func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(seed)) }
    }
    private func range(_ start: Int, _ count: Int) -> ByteRange {
        ByteRange(at: ByteOffset(start), count: ByteCount(count))
    }

    private func checkPutThenGet(_ store: any ObjectStore) throws {
        for count in [1, 4095, 4096, 4097, 3 << 20] {
            try put(pattern(count), "a/b-\(count)", store)
            #expect(try store.get("a/b-\(count)", range: nil) == pattern(count))
        }
    }

    private func checkPutReplaces(_ store: any ObjectStore) throws {
        try put(pattern(5000), "x", store)
        try put(pattern(10, seed: 9), "x", store)
        #expect(try store.get("x", range: nil) == pattern(10, seed: 9))
    }

    private func checkEmptyObject(_ store: any ObjectStore) throws {
        try put([], "empty", store)
        #expect(try store.get("empty", range: nil) == [])
        #expect(try store.size(of: "empty") == .zero)
        #expect(try store.get("empty", range: range(0, 0)) == [])
    }

    private func checkRangedReads(_ store: any ObjectStore) throws {
        let bytes = pattern(9000)
        try put(bytes, "r", store)
        for (start, count) in [(0, 1), (0, 9000), (1, 4096), (4095, 2), (8999, 1), (9000, 0), (100, 0)] {
            #expect(try store.get("r", range: range(start, count)) == Array(bytes[start..<start + count]))
        }
    }

    private func checkRangePastTheEnd(_ store: any ObjectStore) throws {
        try put(pattern(100), "t", store)
        for (start, count) in [(0, 101), (99, 2), (100, 1), (101, 0), (1 << 40, 1)] {
            #expect(throws: StoreFailure.truncated(key: "t")) { try store.get("t", range: range(start, count)) }
        }
    }

    private func checkMissingObjects(_ store: any ObjectStore) throws {
        try put(pattern(1), "dir/there", store)
        for key in ["no", "dir", "dir/no", "dir/there/below", "other/no"] {
            #expect(throws: StoreFailure.missing(key: key)) { try store.get(key, range: nil) }
            #expect(try store.size(of: key) == nil)
        }
    }

    private func checkConditionalPut(_ store: any ObjectStore) throws {
        #expect(try putIfAbsent(pattern(10), "c/d", store))
        #expect(try !putIfAbsent(pattern(20), "c/d", store))
        #expect(try store.get("c/d", range: nil) == pattern(10))
        try store.delete(["c/d"])
        #expect(try putIfAbsent(pattern(20), "c/d", store))
    }

    private func checkOneWinner(_ store: any ObjectStore) throws {
        let winners = Guarded<[UInt8]>([])
        let threads = (0..<8).map { seed in
            OSThread(name: "law") {
                let bytes = pattern(2000, seed: UInt8(seed))
                if (try? putIfAbsent(bytes, "race/one", store)) == true { winners.withLock { $0.append(UInt8(seed)) } }
            }
        }
        for thread in threads { thread.join() }
        let found = winners.withLock { $0 }
        #expect(found.count == 1)
        #expect(try store.get("race/one", range: nil) == pattern(2000, seed: found.first ?? 99))
    }

    private func checkConcurrentPuts(_ store: any ObjectStore) throws {
        let threads = (0..<8).map { seed in
            OSThread(name: "law") { for _ in 0..<5 { try? put(pattern(70_000, seed: UInt8(seed)), "race/put", store) } }
        }
        for thread in threads { thread.join() }
        let found = try store.get("race/put", range: nil)
        #expect((0..<8).contains { found == pattern(70_000, seed: UInt8($0)) }, "an object is all or nothing")
    }

    private func checkSizes(_ store: any ObjectStore) throws {
        for count in [0, 1, 4096, 70_000] {
            try put(pattern(count), "s/\(count)", store)
            #expect(try store.size(of: "s/\(count)") == ByteCount(count))
        }
    }

    /// Keys that a walk of sorted folders would list in the wrong order.
    private static let keys = [
        "a", "a-b", "a-b/c", "a.b/x", "a/c", "a/c-d/e", "a/c.x", "a/c/d/e", "a0", "b/00000001", "b/00000002", "z",
    ]

    private func fill(_ store: any ObjectStore) throws -> [String] {
        // A file and a folder of one name cannot both be in every store.
        let keys = Self.keys.filter { !["a", "a-b", "a/c"].contains($0) }.sorted()
        for key in keys.shuffled() { try put(pattern(key.utf8.count), key, store) }
        return keys
    }

    private func checkOrder(_ store: any ObjectStore) throws {
        #expect(try store.list(prefix: "", startAfter: nil, limit: 100) == [])
        let keys = try fill(store)
        let found = try store.list(prefix: "", startAfter: nil, limit: 100)
        #expect(found.map(\.key) == keys)
        #expect(found.map(\.size) == keys.map { ByteCount($0.utf8.count) })
    }

    private func checkPrefix(_ store: any ObjectStore) throws {
        let keys = try fill(store)
        for prefix in ["a", "a/", "a/c", "a/c/", "b/0000000", "b/00000001", "nothing", "a-", "z"] {
            let found = try store.list(prefix: prefix, startAfter: nil, limit: 100)
            #expect(found.map(\.key) == keys.filter { $0.hasPrefix(prefix) })
        }
    }

    private func checkPages(_ store: any ObjectStore) throws {
        let keys = try fill(store)
        for limit in 1...4 {
            var found: [String] = []
            while true {
                let page = try store.list(prefix: "", startAfter: found.last, limit: limit)
                #expect(page.count <= limit)
                found += page.map(\.key)
                if page.count < limit { break }
            }
            #expect(found == keys)
        }
        #expect(
            try store.list(prefix: "a", startAfter: "a/c-zzz", limit: 9).map(\.key)
                == keys.filter {
                    $0.hasPrefix("a") && $0 > "a/c-zzz"
                })
    }

    private func checkDelete(_ store: any ObjectStore) throws {
        let keys = try fill(store)
        try store.delete([keys[0], "not/there", keys[2]])
        try store.delete([])
        try store.delete([keys[0]])
        let left = try store.list(prefix: "", startAfter: nil, limit: 100).map(\.key)
        #expect(left == keys.enumerated().filter { $0.offset != 0 && $0.offset != 2 }.map(\.element))
    }

    private func checkBadKeys(_ store: any ObjectStore) {
        let bad = [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a b", "\u{e4}", "a\0",
            String(repeating: "x", count: 513),
        ]
        for key in bad {
            #expect(throws: StoreFailure.self, "\(key.debugDescription)") { try put([1], key, store) }
            #expect(throws: StoreFailure.self) { try store.get(key, range: nil) }
        }
    }
}
