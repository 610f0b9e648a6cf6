internal import Blocks
internal import Testing

/// The laws of ``Disk`` about names.
struct DiskNameLaws {
    let disk: any Disk
    let directory: String

    private func path(_ name: String) -> String { directory + "/" + name }
    private func make(_ name: String, _ bytes: [UInt8] = []) throws {
        try disk.open(path(name), .create).put(bytes, at: 0)
    }
    private func content(_ name: String) throws -> [UInt8] {
        let file = try disk.open(path(name), .readOnly)
        return try file.bytes(at: 0, count: try file.size().bytes)
    }

    func opensWhatWasMade() throws {
        try make("a", [1, 2, 3])
        for mode in [OpenMode.readOnly, .readWrite, .create] {
            #expect(try disk.open(path("a"), mode).bytes(at: 0, count: 3) == [1, 2, 3])
        }
    }
    func missingFileIsMissing() throws {
        for mode in [OpenMode.readOnly, .readWrite] {
            let failure = #expect(throws: DiskFailure.self) { try disk.open(path("none"), mode) }
            #expect(failure?.isMissing == true)
        }
        #expect(throws: DiskFailure.self) { try disk.open(path("none/a"), .create) }
        #expect(try disk.facts(path("none")) == nil)
        #expect(try disk.facts(path("none/a")) == nil)
    }
    func createNewRefusesExisting() throws {
        _ = try disk.open(path("a"), .createNew)
        let failure = #expect(throws: DiskFailure.self) { try disk.open(path("a"), .createNew) }
        #expect(failure?.errno == 17)
    }
    func createKeepsContent() throws {
        try make("a", [9])
        _ = try disk.open(path("a"), .create)
        #expect(try content("a") == [9])
    }
    func makesDirectoriesAbove() throws {
        try disk.makeDirectory(path("x/y/z"))
        try disk.makeDirectory(path("x/y/z"))
        #expect(try disk.facts(path("x/y/z"))?.isDirectory == true)
        try make("x/y/z/a", [1])
        #expect(try disk.list(path("x/y/z")) == ["a"])
        try make("f")
        #expect(throws: DiskFailure.self) { try disk.makeDirectory(path("f/g")) }
    }
    func listsSortedNames() throws {
        #expect(try disk.list(directory) == [])
        for name in ["b", "10", "2", "a"] { try make(name) }
        try disk.makeDirectory(path("c"))
        #expect(try disk.list(directory) == ["10", "2", "a", "b", "c"])
    }
    func removesQuietly() throws {
        try make("a")
        try disk.remove(path("a"))
        try disk.remove(path("a"))
        #expect(try disk.facts(path("a")) == nil)
    }
    func removesTrees() throws {
        try disk.makeDirectory(path("x/y"))
        try make("x/a")
        try make("x/y/b")
        try disk.removeTree(path("x"))
        try disk.removeTree(path("x"))
        #expect(try disk.list(directory) == [])
        try make("f")
        try disk.removeTree(path("f"))
        #expect(try disk.list(directory) == [])
    }
    func renameReplaces() throws {
        try make("a", [1])
        try make("b", [2])
        try disk.rename(path("a"), to: path("b"))
        #expect(try disk.list(directory) == ["b"])
        #expect(try content("b") == [1])
        try disk.makeDirectory(path("x"))
        try make("x/c", [3])
        try disk.rename(path("x"), to: path("y"))
        #expect(try content("y/c") == [3])
        #expect(throws: DiskFailure.self) { try disk.rename(path("none"), to: path("b")) }
    }
    func renameIfAbsentKeepsTarget() throws {
        try make("a", [1])
        try make("b", [2])
        #expect(try !disk.renameIfAbsent(path("a"), to: path("b")))
        #expect(try content("b") == [2])
        #expect(try disk.renameIfAbsent(path("a"), to: path("c")))
        #expect(try disk.list(directory) == ["b", "c"])
        #expect(try content("c") == [1])
    }
    func openFileOutlivesItsName() throws {
        try make("a", [1])
        let file = try disk.open(path("a"), .readWrite)
        try disk.remove(path("a"))
        try file.put([2], at: 1)
        #expect(try file.bytes(at: 0, count: 2) == [1, 2])
    }
    func factsTellSizeAndKind() throws {
        try make("a", [UInt8](repeating: 1, count: 5000))
        try disk.open(path("a"), .readWrite).sync()
        let facts = try #require(try disk.facts(path("a")))
        #expect(facts.size == 5000)
        #expect(facts.allocated == 8192)
        #expect(!facts.isDirectory)
        #expect(try disk.facts(directory)?.isDirectory == true)
    }
    func renamedFileKeepsItsInode() throws {
        try make("a")
        try make("b")
        let a = try #require(try disk.facts(path("a"))), b = try #require(try disk.facts(path("b")))
        #expect(a.inode != b.inode)
        #expect(a.device == b.device)
        try disk.rename(path("a"), to: path("c"))
        #expect(try disk.facts(path("c"))?.inode == a.inode)
    }
    func failsToListWhatIsMissing() throws {
        let failure = #expect(throws: DiskFailure.self) { try disk.list(path("none")) }
        #expect(failure?.isMissing == true)
        #expect(throws: DiskFailure.self) { try disk.syncDirectory(path("none")) }
        try disk.syncDirectory(directory)
        #expect(try disk.freeSpace(directory) > .zero)
    }
}
