import Blocks
import ObjectStore
import TestSupport
import Testing

@Suite struct DirectoryStoreTests {
    private func put(_ store: any ObjectStore, _ key: String) throws {
        try [UInt8](repeating: 7, count: 9).readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }

    @Test("objects are files, and another instance sees them")
    func files() throws {
        let scratch = try ScratchDirectory()
        try put(DirectoryStore(at: scratch.path), "a/b/c")
        #expect(try LocalDisk().facts(scratch.path + "/a/b/c")?.size == 9)
        #expect(try DirectoryStore(at: scratch.path).get("a/b/c", range: nil).count == 9)
    }

    @Test("puts leave nothing behind, and leftovers of a crash are neither listed nor kept")
    func leftovers() throws {
        let scratch = try ScratchDirectory()
        let store = try DirectoryStore(at: scratch.path)
        try put(store, "a")
        #expect(try LocalDisk().list(scratch.path + "/.tmp") == [])
        _ = try LocalDisk().open(scratch.path + "/.tmp/old-1", .createNew)
        #expect(try store.list(prefix: "", startAfter: nil, limit: 10).map(\.key) == ["a"])
        try store.removeLeftovers()
        #expect(try LocalDisk().facts(scratch.path + "/.tmp") == nil)
        try put(store, "b")
    }

    @Test("a path that is a file is refused with its name")
    func notADirectory() throws {
        let scratch = try ScratchDirectory()
        _ = try LocalDisk().open(scratch.path + "/file", .createNew)
        #expect(throws: StoreFailure.permanent("\(scratch.path)/file is not a directory")) {
            try DirectoryStore(at: scratch.path + "/file")
        }
    }

    @Test("a directory that cannot be made says which and why")
    func unmakeable() {
        let failure = #expect(throws: StoreFailure.self) { try DirectoryStore(at: "/proc/varve/store") }
        #expect("\(failure, default: "")".contains("/proc/varve"))
    }
}
