import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// The moment at which a restore ends.
@Suite struct HydrationEndTests {
    @Test(
        "a partial write that found its block absent just before the restore ended is written",
        arguments: [false, true])
    func endsWithinWrite(isCut: Bool) throws {
        let disk = SimulatedDisk()
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        // Only block 0 holds data: filling it needs no lock of the writer's chunk.
        let image = pattern(4096, 1) + [UInt8](repeating: 0, count: 63 * 4096)
        let plan = NewVolume(size: BlockCount(64).size, source: "snap-1", parent: "snap-1")
        try Volume.create(plan, at: "/volumes/vol-1", in: environment)
        let volume = try Volume.open(at: "/volumes/vol-1", in: environment, source: ImageSource(image))
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
}
