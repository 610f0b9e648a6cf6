import Blocks
import ObjectStore
import TestSupport
import Testing

/// A store's directory whose file system is away, and comes back.
@Suite struct StorePlaceTests {
    private func put(_ store: any ObjectStore, _ key: String) throws {
        try [UInt8](repeating: 7, count: 9).readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }

    private func expectAway(_ store: DirectoryStore) {
        let calls: [(String, () throws -> Void)] = [
            ("put", { try put(store, "packs/2") }), ("put in a new folder", { try put(store, "new/1") }),
            ("get", { _ = try store.get("packs/1", range: nil) }), ("size", { _ = try store.size(of: "packs/1") }),
            ("size at the top", { _ = try store.size(of: "repository") }),
            ("list", { _ = try store.list(prefix: "", startAfter: nil, limit: 10) }),
            ("delete", { try store.delete(["packs/1"]) }),
        ]
        for (name, call) in calls {
            let failure = #expect(throws: StoreFailure.self, "\(name)") { try call() }
            guard case .permanent(let reason) = failure else {
                Issue.record("\(name): \(String(describing: failure))")
                continue
            }
            #expect(reason.contains("is it mounted?"), "\(name): \(reason)")
        }
    }

    @Test("while the directory is gone, or empty, nothing is put there and nothing called missing")
    func away() throws {
        let scratch = try ScratchDirectory()
        let (place, aside) = (scratch.path + "/mount/store", scratch.path + "/aside")
        let disk = LocalDisk()
        try disk.makeDirectory(scratch.path + "/mount")
        let store = try DirectoryStore(at: place)
        try put(store, "repository")
        try put(store, "packs/1")

        try disk.rename(place, to: aside)
        expectAway(store)
        #expect(try disk.facts(place) == nil, "it was not made again")
        try disk.makeDirectory(place)
        expectAway(store)
        #expect(try disk.list(place) == [], "nothing went there")

        try disk.removeTree(place)
        try disk.rename(aside, to: place)
        #expect(try store.get("packs/1", range: nil).count == 9)
        try put(store, "packs/2")
        #expect(try store.list(prefix: "", startAfter: nil, limit: 10).count == 3)
    }

    @Test("another directory with the same content counts as the same, mounted anew")
    func mountedAnew() throws {
        let scratch = try ScratchDirectory()
        let place = scratch.path + "/store", disk = LocalDisk()
        let store = try DirectoryStore(at: place)
        try put(store, "repository")
        try put(store, "packs/1")
        try disk.rename(place, to: scratch.path + "/old")
        let copy = try DirectoryStore(at: place)
        try put(copy, "repository")
        #expect(try store.size(of: "packs/1") == nil, "it is the same place, and has no such object")
        try put(store, "packs/1")
        #expect(try copy.size(of: "packs/1") == 9)
    }

    @Test("a store in which nothing was seen yet takes the directory as it is")
    func nothingSeen() throws {
        let scratch = try ScratchDirectory()
        let place = scratch.path + "/store", disk = LocalDisk()
        let store = try DirectoryStore(at: place)
        try disk.rename(place, to: scratch.path + "/old")
        try disk.makeDirectory(place)
        try put(store, "packs/1")
        #expect(try store.list(prefix: "", startAfter: nil, limit: 10).map(\.key) == ["packs/1"])
    }
}
