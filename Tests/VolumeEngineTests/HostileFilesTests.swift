import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// Files with right checksums and values that no Varve writes: refused by name, nothing stops.
@Suite struct HostileFilesTests {
    private let disk = SimulatedDisk()
    private let paths = VolumePaths(directory: "/volumes/v")
    private let environment: VolumeEnvironment

    init() throws {
        environment = VolumeEnvironment(
            disk: disk.mount(), clock: ManualClock(passesSleeps: true), bootID: "boot", runsBackgroundWork: false,
            hydrates: false)
        try disk.makeDirectory("/volumes")
        let plan = NewVolume(size: 65_536, source: "snap-s", parent: "snap-s")
        try Volume.create(plan, at: paths.directory, in: environment)
    }

    private func open() throws(VolumeFailure) {
        let volume = try Volume.open(
            at: paths.directory, in: environment, source: ImageSource([UInt8](repeating: 1, count: 65_536)))
        try volume.close()
    }

    private func refusal() -> String? {
        do throws(VolumeFailure) { try open() } catch {
            guard case .corrupt(let path, _) = error else { return "\(error)" }
            return path
        }
        return nil
    }

    @Test("names in maps/ and cuts/ are epochs only as Varve writes them")
    func names() {
        let names = ["12", "2.map", "+7.map", "007", "-1", "9223372036854775807", "9007199254740993", "a", ""]
        #expect(VolumePaths.epochs(names) == [2, 12])
    }

    @Test("an epoch that cannot be counted on from is refused", arguments: [-1, (1 << 53) + 1, Int.max])
    func epochs(_ epoch: Int) throws {
        for field in [\VolumeRecord.firstEpoch, \.settledEpoch] {
            var record = try RecordFile.read(VolumeRecord.self, from: paths.record, on: disk)
            let good = record
            record[keyPath: field] = epoch
            try RecordFile.write(record, to: paths.record, on: disk)
            #expect(refusal() == paths.record)
            try RecordFile.write(good, to: paths.record, on: disk)
            #expect(refusal() == nil)
        }
    }

    @Test(
        "a cut of a size that no volume has is refused", arguments: [Int.max, Int.min, 0, -512, 513, 1 << 47])
    func cutSizes(_ size: Int) throws {
        try checkCut { $0.size = size }
    }

    @Test("a cut of another epoch than its folder says is refused", arguments: [0, 2, Int.max])
    func cutEpochs(_ epoch: Int) throws {
        try checkCut { $0.epoch = epoch }
    }

    @Test("a cut of a time that no calendar has is refused", arguments: [Int64.min, .max, 253_402_300_800_000])
    func cutTimes(_ time: Int64) throws {
        try checkCut { $0.time = time }
    }

    private func checkCut(_ change: (inout CutRecord) -> Void) throws {
        let volume = try Volume.open(
            at: paths.directory, in: environment, source: ImageSource([UInt8](repeating: 1, count: 65_536)))
        _ = try volume.cut(for: "snap-1")
        try volume.close()
        let path = paths.cutRecord(1)
        var record = try RecordFile.read(CutRecord.self, from: path, on: disk)
        change(&record)
        try RecordFile.write(record, to: path, on: disk)
        #expect(refusal() == path)
    }

    @Test(
        "a rollback of blocks that no volume has is refused, whatever they add up to",
        arguments: [
            (UInt64.max, 1), (1, UInt64.max), (1 << 63, 1 << 63), (UInt64(Int.max), UInt64(Int.max)), (1 << 40, 1),
        ] as [(UInt64, UInt64)])
    func rollbacks(start: UInt64, count: UInt64) throws {
        var record = try RecordFile.read(VolumeRecord.self, from: paths.record, on: disk)
        record.rollback = "snap-s"
        try RecordFile.write(record, to: paths.record, on: disk)
        var bytes = littleEndian(UInt64(1)) + littleEndian(start) + littleEndian(count)
        bytes += littleEndian(Checksum.crc32c(bytes))
        let file = try disk.open(paths.rollbackRuns, .createNew)
        try bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
        #expect(refusal() == paths.rollbackRuns)
    }
}
