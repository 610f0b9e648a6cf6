import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing
import VolumeEngine

@testable import ControlPlane

/// An upload of a real cut, with a guest that goes on writing.
@Suite(.serialized) struct CaptureOrderTests {
    private static let leaf = 2048
    private static let leaves = 12

    /// Blocks that do not compress, all different, a leaf's worth at a time.
    private func fill(_ volume: Volume) throws {
        var random = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 << 20)
        for _ in 0..<(1 << 17) {
            let number = random.next()
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
        }
        for _ in 0..<3 { bytes += bytes }
        for leaf in 0..<Self.leaves {
            for block in 0..<Self.leaf {
                bytes[block * 4096] = UInt8(leaf)
                bytes[block * 4096 + 1] = UInt8(block % 256)
                bytes[block * 4096 + 2] = UInt8(block / 256)
            }
            try bytes.readBytes { (all) throws(BlockFailure) in
                try volume.write(ByteRange(at: ByteOffset(leaf << 23), count: .mebibytes(8)), from: all, durably: false)
            }
        }
    }

    @Test("what writers keep running into is captured before what nobody touches, wherever it is")
    func hotFirst() throws {
        let scratch = try ScratchDirectory("varve-order")
        let environment = VolumeEnvironment(
            disk: LocalDisk(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        let path = scratch.path + "/v"
        try Volume.create(NewVolume(size: .mebibytes(8 * Self.leaves)), at: path, in: environment)
        let volume = try Volume.open(at: path, in: environment, source: nil)
        try fill(volume)
        let digest = try HouseFixture.readAll(volume)
        let view = try volume.cut(for: "snap-0000000000000001a")

        // A guest has hit the last leaf before the upload begins, and another one once it is under way.
        let write = { @Sendable (leaf: Int) in
            for block in 0..<20 {
                let range = ByteRange(at: BlockIndex(leaf * Self.leaf + block * 7).offset, count: 4096)
                try? [UInt8](repeating: 0, count: 4096).readBytes { (all) throws(BlockFailure) in
                    try volume.write(range, from: all, durably: false)
                }
            }
        }
        write(11)
        let begun = Guarded(false)
        let store = FaultyStore(MemoryStore()) { call in
            guard call.operation == .putIfAbsent, call.key.hasPrefix("packs/") else { return nil }
            let isFirst = begun.withLock { begun in
                defer { begun = true }
                return !begun
            }
            if isFirst { write(9) }
            return nil
        }
        let repository = try Repository.openOrCreate(store)
        let id = try #require(SnapshotID(view.snapshot))
        let plan = SnapshotPlan(id: id, volume: "vol-1", parent: nil, created: WallTime(milliseconds: 0))
        let options = UploadOptions(memory: .mebibytes(64), workers: 1)
        _ = try repository.writer(plan, content: CutContent(view), options: options).run()

        // The pack with which each leaf's capture began.
        var packs: [Int: Int] = [:]
        for pack in view.capturedPacks {
            for run in pack.runs {
                for leaf in run.start.number / Self.leaf...(run.end.number - 1) / Self.leaf {
                    packs[leaf] = min(packs[leaf] ?? .max, pack.pack)
                }
            }
        }
        #expect(packs.count == Self.leaves && view.isWhollyCaptured)
        for cold in 1...8 { #expect(try #require(packs[11]) <= #require(packs[cold]), "\(packs)") }
        for cold in [7, 8, 10] { #expect(try #require(packs[9]) < #require(packs[cold]), "\(packs)") }
        #expect(packs[11] == packs.values.min())

        // And it is the cut's content all the same.
        let reader = try repository.reader(of: id)
        var bytes = [UInt8](repeating: 0, count: digest.count)
        try bytes.writeBytes { (all) throws(BlockFailure) in
            try reader.read(BlockRange(at: 0, count: BlockCount(Self.leaves * Self.leaf)), into: &all)
        }
        let isSame = bytes == digest
        #expect(isSame)
    }
}
