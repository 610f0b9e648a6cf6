import Blocks
import TestSupport
import Testing

/// What only the local disk can show; the rest is in ``DiskLaw``.
@Suite struct RawFileTests {
    @Test("a full device is noSpace")
    func fullDevice() throws {
        let full = try LocalDisk().open("/dev/full", .readWrite)
        #expect(throws: BlockFailure.noSpace) { try full.put([1], at: 0) }
    }

    @Test("a sync that fails poisons the file: every later sync and durable write fails")
    func poisoned() throws {
        // A device that cannot be synced: fdatasync answers EINVAL.
        let file = try LocalDisk().open("/dev/null", .readWrite)
        #expect(throws: BlockFailure.io(errno: 22)) { try file.sync() }
        #expect(throws: BlockFailure.failed) { try file.sync() }
        #expect(throws: BlockFailure.failed) { try file.put([1], at: 0, durably: true) }
        try file.put([1], at: 0)
    }

    @Test("large transfers arrive whole")
    func large() throws {
        let scratch = try ScratchDirectory("raw-file")
        let file = try LocalDisk().open(scratch.path + "/a", .createNew)
        let bytes = (0..<9_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try file.put(bytes, at: 4095, durably: true)
        #expect(try file.bytes(at: 4095, count: bytes.count) == bytes)
        #expect(try file.bytes(at: 4095 + bytes.count - 1, count: 3) == [bytes[bytes.count - 1], 0, 0])
    }

    @Test("a lock goes with its holder, and a file may be locked while others use it")
    func locks() throws {
        let scratch = try ScratchDirectory("raw-file")
        let path = scratch.path + "/a"
        let user = try LocalDisk().open(path, .create)
        do {
            let holder = try LocalDisk().open(path, .readWrite)
            #expect(try holder.lockExclusively())
            try user.put([1], at: 0)
        }
        #expect(try user.lockExclusively())
    }

    @Test("a mapping outlives the handle that made it")
    func mapping() throws {
        let scratch = try ScratchDirectory("raw-file")
        func map() throws -> MappedMemory {
            let file = try LocalDisk().open(scratch.path + "/a", .create)
            try file.resize(to: 8192)
            try file.allocate(ByteRange(at: 0, count: 8192))
            return try file.map(8192)
        }
        let memory = try map()
        memory.fetchOr(600, 5)
        #expect(try map().load(600) == 5)
    }
}
