import Blocks
import TestSupport
import Testing

@Suite struct BlockDeviceTests {
    @Test("memory keeps every law of a block device", arguments: BlockDeviceLaw.allCases)
    func memory(_ law: BlockDeviceLaw) throws { try law.check(MemoryDevice(size: ByteCount(1 << 20 | 512))) }

    @Test("a plain file keeps every law of a block device", arguments: BlockDeviceLaw.allCases)
    func file(_ law: BlockDeviceLaw) throws {
        let scratch = try ScratchDirectory("device"), path = scratch.path + "/disk"
        do {
            let file = try LocalDisk().open(path, .create)
            try file.resize(to: ByteCount(1 << 20 | 700))
        }
        let device = try FileDevice(path)
        #expect(device.size == ByteCount(1 << 20 | 512), "the last part of a sector is left out")
        try law.check(device)
    }

    @Test("memory and file agree with a model", arguments: Seed.some(fixed: 3, fresh: 5))
    func models(seed: Seed) throws {
        try BlockDeviceLaw.agreesWithAModel.check(MemoryDevice(size: .mebibytes(1)), seed: seed)
        let scratch = try ScratchDirectory("device"), path = scratch.path + "/disk"
        do { try LocalDisk().open(path, .create).resize(to: .mebibytes(1)) }
        try BlockDeviceLaw.agreesWithAModel.check(FileDevice(path), seed: seed)
    }

    @Test("a read-only device refuses every change and nothing else")
    func readOnly() throws {
        let device = MemoryDevice(size: .mebibytes(1), isReadOnly: true), range = ByteRange(at: 0, count: 512)
        #expect(throws: BlockFailure.readOnly) { try device.put([1, 2, 3], at: 0) }
        #expect(throws: BlockFailure.readOnly) { try device.zero(range, mayPunch: true, durably: false) }
        #expect(throws: BlockFailure.readOnly) { try device.trim(range, durably: false) }
        try device.flush()
        #expect(try device.bytes(at: 0, count: 512).allSatisfy { $0 == 0 })
    }

    @Test("a file that is no disk is refused with its name")
    func noDisk() throws {
        let scratch = try ScratchDirectory("device")
        _ = try LocalDisk().open(scratch.path + "/empty", .create)
        #expect(throws: DiskFailure(errno: 22, action: "serve", path: scratch.path + "/empty")) {
            try FileDevice(scratch.path + "/empty")
        }
        #expect(throws: DiskFailure.self) { try FileDevice(scratch.path + "/missing") }
    }
}
