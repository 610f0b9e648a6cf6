internal import Blocks
internal import Testing

/// The laws of ``DiskFile`` about mappings and locks.
struct DiskMappingLaws {
    let disk: any Disk
    let directory: String

    private func file() throws -> any DiskFile {
        let file = try disk.open(directory + "/file", .create)
        try file.resize(to: .mebibytes(1))
        return file
    }
    private func allocate(_ file: any DiskFile, page: Int) throws {
        try file.allocate(BlockRange(at: BlockIndex(page), count: 1).bytes)
    }

    func mappingShowsTheFile() throws {
        let file = try file()
        try file.put([1, 2, 3, 4, 5, 6, 7, 8, 9], at: 4096)
        let memory = try file.map(.mebibytes(1))
        #expect(memory.load(512) == 0x0807_0605_0403_0201)
        #expect(memory.load(513) == 9)
        #expect(memory.load(0) == 0)
        try file.put([0xff], at: 4097)
        #expect(memory.load(512) == 0x0807_0605_0403_ff01)
    }
    func storesAreInTheFile() throws {
        let file = try file()
        let memory = try file.map(65536)
        try allocate(file, page: 2)
        #expect(memory.fetchOr(1024, 0xff00) == 0)
        #expect(memory.fetchOr(1024, 0x00ff) == 0xff00)
        #expect(memory.fetchAnd(1024, 0x0ff0) == 0xffff)
        #expect(memory.load(1024) == 0x0ff0)
        #expect(try file.bytes(at: 8192, count: 3) == [0xf0, 0x0f, 0])
        try memory.sync()
        try file.sync()
    }
    func storesOutliveTheMapping() throws {
        do {
            let memory = try file().map(65536)
            try allocate(try file(), page: 15)
            memory.fetchOr(15 * 512, 42)
        }
        #expect(try file().bytes(at: 15 * 4096, count: 1) == [42])
        #expect(try file().map(65536).load(15 * 512) == 42)
    }
    func mappedStoresAreData() throws {
        let file = try file()
        let memory = try file.map(.mebibytes(1))
        for page in [3, 200] {
            try allocate(file, page: page)
            memory.fetchOr(page * 512 + 7, 1)
        }
        let found = try file.dataBlocks()
        #expect(found.contains(3) && found.contains(200))
        try file.sync()
        #expect(try file.dataBlocks().contains(200))
    }
    func lockIsExclusive() throws {
        var one: (any DiskFile)? = try file()
        let two = try file()
        #expect(try one?.lockExclusively() == true)
        #expect(try !two.lockExclusively())
        one = nil
        #expect(try two.lockExclusively())
        // Without closing.
        let three = try file()
        #expect(try !three.lockExclusively())
        two.unlock()
        #expect(try three.lockExclusively())
    }
}
