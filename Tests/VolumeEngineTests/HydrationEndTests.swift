import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// The moment at which a restore ends.
@Suite struct HydrationEndTests {
    /// A volume being restored of which only block 0 holds data: filling that needs no lock of the other chunk.
    private static func restoring(on disk: SimulatedDisk) throws -> Volume {
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        let image = pattern(4096, 1) + [UInt8](repeating: 0, count: 63 * 4096)
        let plan = NewVolume(size: BlockCount(64).size, source: "snap-1", parent: "snap-1")
        try Volume.create(plan, at: "/volumes/vol-1", in: environment)
        return try Volume.open(at: "/volumes/vol-1", in: environment, source: ImageSource(image))
    }

    @Test(
        "a partial write that found its block absent just before the restore ended is written",
        arguments: [false, true])
    func endsWithinWrite(isCut: Bool) throws {
        let disk = SimulatedDisk()
        let volume = try Self.restoring(on: disk)
        if isCut {
            try volume.put(pattern(4096, 2), at: 4096)
            _ = try volume.cut(for: "snap-2")
        }
        let block: BlockIndex = 40
        let hydration = try #require(volume.admission.latest.hydration)
        let isArmed = Guarded(true)
        let filler = Guarded<OSThread?>(nil)
        disk.onOperation { operation in
            let isFirst = isArmed.withLock { armed in
                defer { if operation.kind == .seek { armed = false } }
                return armed && operation.kind == .seek
            }
            guard isFirst else { return .proceed }
            // The writer holds its stripe lock and is asking the file system; meanwhile all is here, and recorded.
            let thread = OSThread(name: "hydrate") { _ = try? volume.hydrate() }
            filler.withLock { $0 = thread }
            for _ in 0..<5000 where !hydration.isKnownPresent(block) { SystemClock().sleep(.milliseconds(2)) }
            return .proceed
        }
        try volume.put([UInt8](repeating: 7, count: 512), at: block.offset.bytes)
        disk.onOperation(nil)
        #expect(isArmed.withLock { !$0 })
        filler.withLock { $0 }?.join()
        #expect(volume.status.source == nil)
        #expect(
            try volume.get(block.offset.bytes, 4096) == [UInt8](repeating: 7, count: 512)
                + [UInt8](repeating: 0, count: 3584))
        #expect(try volume.get(0, 4096) == pattern(4096, 1))
    }

    @Test("parts of a block that two write while the restore ends are both kept, though one brings the block's zeros")
    func twoWithinOneBlock() throws {
        let disk = SimulatedDisk()
        let volume = try Self.restoring(on: disk)
        let block: BlockIndex = 40
        let hydration = try #require(volume.admission.latest.hydration)
        let isArmed = Guarded(true), isSecondDone = Guarded(false)
        let threads = Guarded<[OSThread]>([])
        disk.onOperation { operation in
            let isFirst = isArmed.withLock { armed in
                defer { if operation.kind == .write, operation.path.hasSuffix("home.img") { armed = false } }
                return armed && operation.kind == .write && operation.path.hasSuffix("home.img")
            }
            guard isFirst else { return .proceed }
            // The first writer holds the stripe lock and is about to write the block's zeros; all else is here.
            let filler = OSThread(name: "hydrate") { _ = try? volume.hydrate() }
            for _ in 0..<5000 where !hydration.isKnownPresent(block) { SystemClock().sleep(.milliseconds(2)) }
            let second = OSThread(name: "second") {
                try? volume.put([UInt8](repeating: 9, count: 512), at: block.offset.bytes + 512)
                isSecondDone.withLock { $0 = true }
            }
            threads.withLock { $0 = [filler, second] }
            // It must wait for the lock; given the chance, it would be done long before this.
            for _ in 0..<100 where !isSecondDone.withLock({ $0 }) { SystemClock().sleep(.milliseconds(2)) }
            return .proceed
        }
        try volume.put([UInt8](repeating: 7, count: 512), at: block.offset.bytes)
        for thread in threads.withLock({ $0 }) { thread.join() }
        disk.onOperation(nil)
        #expect(isArmed.withLock { !$0 } && isSecondDone.withLock { $0 })
        let found = try volume.get(block.offset.bytes, 4096)
        #expect(Array(found[..<512]) == [UInt8](repeating: 7, count: 512))
        #expect(Array(found[512..<1024]) == [UInt8](repeating: 9, count: 512))
        #expect(Array(found[1024...]) == [UInt8](repeating: 0, count: 3072))
    }
}
