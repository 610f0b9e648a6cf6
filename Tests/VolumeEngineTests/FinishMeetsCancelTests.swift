import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// A snapshot that is stored just when it is cancelled: it is committed or given up, whichever came first, and never both.
@Suite struct FinishMeetsCancelTests {
    private static let path = "/volumes/vol-1"
    private static let blocks = 256

    private static func environment(_ disk: SimulatedDisk, boot: String = "boot") -> VolumeEnvironment {
        VolumeEnvironment(disk: disk.mount(), clock: SystemClock(), bootID: boot, runsBackgroundWork: false)
    }

    /// A volume with `count` pending snapshots, each with changes since.
    private static func volume(on disk: SimulatedDisk, snapshots count: Int) throws -> Volume {
        try disk.makeDirectory("/volumes")
        try disk.syncDirectory("/")
        let environment = environment(disk)
        try Volume.create(NewVolume(size: BlockCount(blocks).size), at: path, in: environment)
        let volume = try Volume.open(at: path, in: environment)
        for number in 1...count {
            try volume.put(pattern(32 * 4096, UInt8(number)), at: number * 32 * 4096)
            _ = try volume.cut(for: "snap-\(number)")
        }
        try volume.put(pattern(40 * 4096, 99), at: 0)
        return volume
    }

    private static func cuts(_ volume: Volume) -> [Cut] { volume.control.withLock { $0.generation.cuts } }

    /// Its content is what was written, and what it counts from is the last one that was committed, after an outage too.
    private static func check(
        _ volume: Volume, on disk: SimulatedDisk, parent: String?, dirty: Int, _ comment: Comment
    ) throws {
        let content = try volume.get(0, blocks * 4096)
        try volume.settle()
        #expect(cuts(volume).isEmpty, comment)
        #expect(volume.status.parent == parent, comment)
        #expect(volume.status.dirty == BlockCount(dirty).size, comment)
        #expect(try volume.get(0, blocks * 4096) == content, comment)
        try volume.close()
        let again = try Volume.open(at: path, in: environment(disk, boot: "next"))
        #expect(again.status.parent == parent && again.pendingCuts.isEmpty, comment)
        #expect(try again.get(0, blocks * 4096) == content, comment)
        try again.close()
    }

    @Test("finished at any step of its cancelling, it is given up, and its changes are the volume's again")
    func cancelledFirst() throws {
        var steps = 0
        while true {
            let disk = SimulatedDisk()
            let volume = try Self.volume(on: disk, snapshots: 2)
            let finisher = Guarded<OSThread?>(nil), count = Guarded(0)
            let step = steps
            disk.onOperation { operation in
                guard operation.change != nil,
                    count.withLock({
                        $0 += 1; return $0 - 1
                    }) == step
                else { return .proceed }
                // The disk's hook is called by the one who cancels: this one waits for it, or comes later.
                let thread = OSThread(name: "finish") {
                    volume.finish("snap-1")
                    volume.finish("snap-2")
                }
                finisher.withLock { $0 = thread }
                return .proceed
            }
            #expect(volume.cancel("snap-1", reason: "as asked") == ["snap-1", "snap-2"], "at step \(step)")
            disk.onOperation(nil)
            guard let thread = finisher.withLock({ $0 }) else { break }
            thread.join()
            for cut in Self.cuts(volume) { #expect(cut.isGivenUp && !cut.isCommitted, "at step \(step)") }
            // And once more, long after.
            volume.finish("snap-1")
            try Self.check(volume, on: disk, parent: nil, dirty: 96, "at step \(step)")
            steps += 1
        }
        // Each of the two loses its record, durably.
        #expect(steps >= 4)
    }

    @Test("cancelled when it has just been finished, it is committed, and only the later one is given up")
    func finishedFirst() throws {
        for isLast in [true, false] {
            let disk = SimulatedDisk()
            let volume = try Self.volume(on: disk, snapshots: 2)
            // What the one who cancels has found pending, before it comes to give it up.
            let found = try #require(Self.cuts(volume).first)
            volume.finish("snap-1")
            if isLast { volume.finish("snap-2") }
            #expect(volume.giveUp(from: found, "too late") == !isLast)
            #expect(Self.cuts(volume).map(\.isCommitted) == [true, isLast])
            #expect(Self.cuts(volume).map(\.isGivenUp) == [false, !isLast])
            #expect(volume.cancel("snap-1", reason: "too late") == [])
            #expect(volume.pendingCuts.isEmpty)
            volume.finish("snap-2")
            // Blocks 0 to 39 since the last cut; of the one given up, 64 to 95, too.
            try Self.check(
                volume, on: disk, parent: isLast ? "snap-2" : "snap-1", dirty: isLast ? 40 : 72, "isLast: \(isLast)")
        }
    }

    @Test("a writer that gives up what was finished while it met the full disk gives up nothing of it")
    func writerMeetsFinish() throws {
        let disk = SimulatedDisk()
        let volume = try Self.volume(on: disk, snapshots: 1)
        let isArmed = Guarded(true)
        disk.onOperation { operation in
            guard operation.kind == .write, operation.path.hasSuffix("overlay.img") else { return .proceed }
            // Stored just now, and the disk is full for the writer that was preserving a block of it.
            if isArmed.withLock({ armed in
                defer { armed = false }; return armed
            }) {
                volume.finish("snap-1")
            }
            return .fail(.noSpace)
        }
        try volume.put(pattern(4096, 5), at: 50 * 4096)
        disk.onOperation(nil)
        #expect(isArmed.withLock { !$0 })
        #expect(Self.cuts(volume).allSatisfy { $0.isCommitted && !$0.isGivenUp })
        #expect(try volume.get(50 * 4096, 4096) == pattern(4096, 5))
        try Self.check(volume, on: disk, parent: "snap-1", dirty: 41, "a full disk")
    }
}
