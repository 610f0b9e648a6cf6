import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// Writers that meet a cut, or each other, at a moment that is hard to hit.
@Suite struct CutMeetingTests {
    private static func volume(_ name: String, on disk: SimulatedDisk) throws -> Volume {
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        try Volume.create(NewVolume(size: BlockCount(256).size), at: "/volumes/" + name, in: environment)
        let volume = try Volume.open(at: "/volumes/" + name, in: environment)
        try volume.put(pattern(256 * 4096, 1), at: 0)
        return volume
    }

    @Test("a part of a block is written while another member of the group is being sealed")
    func groupMembersDrainTogether() throws {
        let disk = SimulatedDisk()
        let first = try Self.volume("vol-1", on: disk), second = try Self.volume("vol-2", on: disk)
        let isArmed = Guarded(true), isWritten = Guarded(false)
        let writer = Guarded<OSThread?>(nil)
        disk.onOperation { operation in
            let isFirst = isArmed.withLock { armed in
                defer { if operation.kind == .sync, operation.path.hasSuffix("home.img") { armed = false } }
                return armed && operation.kind == .sync && operation.path.hasSuffix("home.img")
            }
            guard isFirst else { return .proceed }
            let other = operation.path.contains("vol-1") ? second : first
            let thread = OSThread(name: "writer") {
                try? other.put([UInt8](repeating: 7, count: 100), at: 5 * 4096 + 10)
                isWritten.withLock { $0 = true }
            }
            writer.withLock { $0 = thread }
            for _ in 0..<1000 where !isWritten.withLock({ $0 }) { SystemClock().sleep(.milliseconds(2)) }
            #expect(isWritten.withLock { $0 }, "it waits for the other member's sync")
            return .proceed
        }
        let views = try Volume.cut([(first, "snap-1"), (second, "snap-2")])
        writer.withLock { $0 }?.join()
        disk.onOperation(nil)
        #expect(isArmed.withLock { !$0 })
        for view in views { #expect(try view.get(BlockRange(at: 0, count: 256)) == pattern(256 * 4096, 1)) }
    }

    @Test("of two writers that meet a full disk, the one that finds every snapshot given up already writes in place")
    func bothGoOn() throws {
        let disk = SimulatedDisk()
        let volume = try Self.volume("vol-1", on: disk)
        _ = try volume.cut(for: "snap-1")
        let isArmed = Guarded(true)
        disk.onOperation { operation in
            guard operation.kind == .write, operation.path.hasSuffix("overlay.img") else { return .proceed }
            let isFirst = isArmed.withLock { armed in
                defer { armed = false }
                return armed
            }
            // Before the first one learns of it, the second has met the same and given the snapshot up.
            if isFirst {
                do { try volume.put(pattern(4096, 3), at: 200 * 4096) } catch { Issue.record("the second: \(error)") }
            }
            return .fail(.noSpace)
        }
        try volume.put(pattern(4096, 2), at: 0)
        disk.onOperation(nil)
        #expect(try volume.get(0, 4096) == pattern(4096, 2))
        #expect(try volume.get(200 * 4096, 4096) == pattern(4096, 3))
        #expect(
            volume.status.pendingSnapshots.isEmpty
                || volume.control.withLock { $0.generation.cuts.allSatisfy(\.isGivenUp) })
    }
}
