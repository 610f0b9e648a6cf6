import Blocks
import Simulation
import Testing
import VolumeEngine

/// One interleaving that chance hardly finds: a writer held up between entering an epoch and marking its block.
@Suite(.timeLimit(.minutes(2))) struct EngineLateBitTests {
    @Test("a mark that comes after the cut never brings a newer write into the snapshot")
    func lateBit() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/volumes")
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        // Two pages of marks: block 40,000 is in the second.
        try Volume.create(NewVolume(size: .mebibytes(256)), at: "/volumes/v", in: environment)
        let volume = try Volume.open(at: "/volumes/v", in: environment)
        let far = BlockIndex(40_000).offset.bytes, near = BlockIndex(5).offset.bytes
        try volume.put(pattern(4096, 9), at: far)

        // The first mark in a page takes space for it: there the early writer is held.
        let gate = Guarded((isHeld: false, isOpen: false))
        disk.onOperation { operation in
            guard operation.kind == .allocate, operation.path.contains("maps/1.") else { return .proceed }
            gate.change { $0.isHeld = true }
            _ = gate.wait { $0.isOpen ? true : nil }
            return .proceed
        }
        let early = OSThread(name: "early") { try? volume.put(pattern(4096, 1), at: near) }
        #expect(gate.wait(atMost: .seconds(120)) { $0.isHeld ? true : nil } == true)
        let view = Guarded<CutView?>(nil)
        let cutter = OSThread(name: "cutter") {
            let made = try? volume.cut(for: "snap-1")
            view.change { $0 = made }
        }
        // Published once nothing counts as changed any more; it cannot be sealed while the early writer is held.
        let block = ByteRange(at: ByteOffset(far), count: 4096)
        while try volume.changes(in: block)?.first?.isSet == true { SystemClock().sleep(.microseconds(100)) }
        try volume.put(pattern(4096, 2), at: near)
        gate.change { $0.isOpen = true }
        early.join()
        cutter.join()

        let cut = try #require(view.withLock { $0 })
        #expect(try cut.get(BlockRange(at: 40_000, count: 1)) == pattern(4096, 9))
        if let run = try cut.nextChange(from: 0), run.contains(5) {
            #expect(try cut.get(BlockRange(at: 5, count: 1)) == [UInt8](repeating: 0, count: 4096))
        }
        let live = try volume.get(near, 4096)
        #expect(live == pattern(4096, 1) || live == pattern(4096, 2))
        try volume.close()
    }
}
