import Blocks
import Simulation
import Testing

@testable import ControlPlane

/// The file of a local copy on a disk that loses what was not synced.
@Suite struct FastFileTests {
    private static let id = "snap-0123456789abcdef0"
    private static let folder = "/fast", path = "/fast/" + id
    private static let size = ByteCount.mebibytes(12)
    /// Runs of blocks, and the blocks among them that are zeros.
    private static let runs = [0..<7, 9..<10, 1020..<1030, 2500..<2503, 3000..<3072]
    private static let zeros: Set<Int> = [3, 1025, 3000]

    private static func byte(_ block: Int) -> UInt8 { UInt8(truncatingIfNeeded: block &* 37 &+ 1) | 1 }

    private static func block(_ number: Int) -> [UInt8] {
        let isData = runs.contains { $0.contains(number) } && !zeros.contains(number)
        return [UInt8](repeating: isData ? byte(number) : 0, count: Block.size.bytes)
    }

    /// Makes the copy anew, as a thread that brings it does.
    private static func write(on disk: any Disk) throws -> FastFile {
        var writer = try FastFileWriter(at: path, of: id, size: size, in: folder, on: disk)
        for run in runs {
            let bytes = run.flatMap(block)
            let blocks = BlockRange(at: BlockIndex(run.lowerBound), count: BlockCount(run.count))
            try bytes.readBytes { (all) throws(BlockFailure) in try writer.write(blocks, all) }
        }
        return try writer.finish()
    }

    private static func check(_ file: FastFile, _ comment: Comment) throws {
        let count = BlockCount(covering: size)
        var bytes = [UInt8](repeating: 9, count: count.size.bytes)
        try bytes.writeBytes { (all) throws(BlockFailure) in
            try file.read(BlockRange(at: 0, count: count), into: &all)
        }
        for number in 0..<count.count {
            let found = bytes[number * Block.size.bytes..<(number + 1) * Block.size.bytes]
            guard found.elementsEqual(block(number)) else {
                Issue.record("block \(number) is other than it was: \(comment)")
                return
            }
        }
    }

    private static func disk(_ seed: UInt64, hasOlder: Bool) throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        try disk.makeDirectory(folder)
        try disk.syncDirectory("/")
        // A whole one from before, which was distrusted.
        if hasOlder { _ = try write(on: disk.mount()) }
        return disk
    }

    @Test(
        "whenever the power goes, a file that counts as whole is whole, and one that was said to be is",
        arguments: [false, true])
    func powerLoss(hasOlder: Bool) throws {
        var whole = 0, refused = 0, change = 1
        while true {
            var isOver = false
            for (number, moment) in DiskVerdict.Moment.allCases.enumerated() {
                for seed in UInt64(0)..<3 {
                    let disk = try Self.disk(seed, hasOlder: hasOlder)
                    let wanted = disk.changeCount + change, isDown = Guarded(false)
                    disk.onOperation { operation in
                        guard operation.change == wanted else { return .proceed }
                        isDown.withLock { $0 = true }
                        return .outage(.powerLoss(seed: seed &* 31 &+ UInt64(number)), moment)
                    }
                    let made = try? Self.write(on: disk.mount())
                    disk.onOperation(nil)
                    guard isDown.withLock({ $0 }) else {
                        isOver = true
                        break
                    }
                    #expect(made == nil, "it was told of what the power ended: \(change)")
                    // What is there and cannot be opened is no copy.
                    if let file = try? FastFile.open(Self.path, of: Self.id, on: disk.mount()) {
                        try Self.check(file, "after change \(change), \(moment), seed \(seed)")
                        whole += 1
                    } else {
                        refused += 1
                    }
                }
            }
            if isOver { break }
            change += 1
        }
        #expect(change > 10 && whole > 0 && refused > 0)
        // Said to be whole, it is so when the power goes right after.
        for seed in UInt64(0)..<8 {
            let disk = try Self.disk(seed, hasOlder: hasOlder)
            try Self.check(try Self.write(on: disk.mount()), "at once")
            disk.losePower(seed: seed)
            let file = try #require(try FastFile.open(Self.path, of: Self.id, on: disk.mount()))
            try Self.check(file, "after it was whole, seed \(seed)")
        }
    }

    @Test("a sync that fails makes no copy, and what is opened afterwards is whole or refused")
    func failingSync() throws {
        for after in 0..<3 {
            let disk = try Self.disk(1, hasOlder: false)
            disk.failSyncs(of: Self.id, after: after)
            let made = try? Self.write(on: disk.mount())
            if let made { try Self.check(made, "there were fewer syncs than \(after)") }
            disk.losePower(seed: UInt64(after))
            guard let file = try? FastFile.open(Self.path, of: Self.id, on: disk.mount()) else { continue }
            try Self.check(file, "after a failing sync, \(after)")
        }
    }
}
