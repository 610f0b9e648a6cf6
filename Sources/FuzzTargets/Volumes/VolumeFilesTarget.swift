internal import Blocks
internal import FoundationEssentials
internal import Simulation
@testable internal import VolumeEngine

extension FuzzTarget {
    static let volumeFiles = FuzzTarget(
        "volume-files", bytesMax: 1024, seeds: VolumeFilesTarget.seeds, VolumeFilesTarget.run)
}

/// The files of a volume as they may be found at start: records, maps, logs and journals of any content, with right
/// checksums where there are some. Whatever opens serves, closes, and opens again with the same content.
enum VolumeFilesTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        if input.choice(4) == 0 { return try log(input.rest()) }
        var crime = try CrimeScene(isRestored: input.flag())
        var edits = 0
        while !input.isEmpty, edits < 16 {
            edits += 1
            try crime.edit(&input)
        }
        guard let first = try crime.look(writing: input.flag()), let second = try crime.look(writing: false) else {
            return
        }
        try demand(first == second, "what was opened once opens again with the same content")
    }

    private static func log(_ bytes: [UInt8]) throws {
        let (packs, end) = CapturedLog.decode(bytes)
        try demand(end <= bytes.count, "a log ends within its bytes")
        try demand(
            packs.flatMap { CapturedLog.encode($0) }.elementsEqual(bytes[..<end]),
            "a log's records are those that were appended")
    }

    static func seeds() -> [[UInt8]] {
        let pack = CapturedPack(pack: 3, runs: [BlockRange(at: 16, count: 4), BlockRange(at: 1, count: 1)])
        var all = [[0] + CapturedLog.encode(pack) + CapturedLog.encode(pack) + [1, 2, 3]]
        // A sealed cut of epoch 1 below map 2, with a log; then what each kind of edit does to it.
        func base() -> SeedBuilder {
            var seed = SeedBuilder(1, 0)
            seed.add(5, 1, 1)
            seed.add(2, 0, 1, 0, 0)
            seed.add(3, 0, 1)
            seed.add(piece: [1, 0, 0, 0, 1, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
            return seed
        }
        all.append(base().bytes)
        for field in 0..<10 as Range<UInt8> {
            for edge in [2, 9, 10, 13, 14, 19] as [UInt8] {
                var seed = base()
                seed.add(0, field, edge, 1)
                all.append(seed.bytes)
            }
        }
        for edge in 0..<18 as Range<UInt8> {
            var seed = base()
            seed.add(2, 0, 1, 1, edge)
            all.append(seed.bytes)
            seed = base()
            seed.add(5, 1, 4, edge)
            all.append(seed.bytes)
            seed = SeedBuilder(1, 1)
            seed.add(0, 5, 0, 0)
            seed.add(4, 0, 2, 1, 1, edge, 1)
            all.append(seed.bytes)
        }
        var names = base()
        names.add(6, 0)
        names.add(text: "+7.map")
        names.add(6, 1)
        names.add(text: "9223372036854775807")
        all.append(names.bytes)
        return all
    }
}

/// A small volume on a simulated disk, and what is done to its files.
private struct CrimeScene {
    private static let directory = "/volumes/v"
    private static let size: ByteCount = 65_536
    private let disk = SimulatedDisk()
    private let paths = VolumePaths(directory: directory)
    private let environment: VolumeEnvironment

    init(isRestored: Bool) throws {
        environment = VolumeEnvironment(
            disk: disk.mount(), clock: ManualClock(passesSleeps: true), bootID: "boot", runsBackgroundWork: false,
            hydrates: false)
        try disk.makeDirectory("/volumes")
        let source = isRestored ? "snap-source" : nil
        try Volume.create(
            NewVolume(size: Self.size, source: source, parent: source), at: Self.directory, in: environment)
    }

    // MARK: Looking

    struct Sight: Equatable {
        var content: [UInt8]
        var pending: [String]
    }

    /// Opens the volume, uses it a little and closes it; nil if it is refused.
    func look(writing: Bool) throws -> Sight? {
        do {
            let volume = try Volume.open(at: Self.directory, in: environment, source: Zeros(size: 8192))
            let block = [UInt8](repeating: 5, count: min(4096, volume.size.bytes))
            if writing {
                try block.readBytes { (bytes) throws(BlockFailure) in
                    try volume.write(ByteRange(at: 0, count: ByteCount(block.count)), from: bytes, durably: true)
                }
                _ = try volume.cut(for: "snap-new")
            }
            let part = ByteRange(at: 0, count: min(volume.size, .mebibytes(1)))
            var content = [UInt8](repeating: 1, count: part.count.bytes)
            try content.writeBytes { (bytes) throws(BlockFailure) in try volume.read(part, into: &bytes) }
            _ = try volume.allocation(in: part)
            _ = try volume.changes(in: part)
            let pending = volume.status.pendingSnapshots
            for view in volume.pendingCuts { try walk(view) }
            try volume.flush()
            try volume.close()
            return Sight(content: content, pending: pending)
        } catch is VolumeFailure {
            return nil
        } catch is BlockFailure {
            return nil
        }
    }

    /// What an upload would ask of a cut.
    private func walk(_ view: CutView) throws {
        var position = BlockIndex(0), bytes = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<20 {
            guard let run = try view.nextChange(from: position) else { return }
            try demand(run.start >= position && !run.isEmpty, "changes go on")
            try demand(run.end <= BlockIndex(0) + BlockCount(covering: view.size), "changes lie in the volume")
            try bytes.writeBytes { (span) throws(BlockFailure) in
                try view.read(BlockRange(at: run.start, count: 1), into: &span)
            }
            position = run.end
        }
    }

    private final class Zeros: BlockSource {
        let size: ByteCount
        init(size: ByteCount) { self.size = size }
        func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
            target.fillWithZeros()
        }
        func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { nil }
    }

    // MARK: Editing

    mutating func edit(_ input: inout FuzzInput) throws {
        switch input.choice(8) {
        case 0: try editRecord(&input)
        case 1: try putSealed(jsonOf(VolumeRecord.self, input.piece()), at: paths.record)
        case 2: try makeCut(&input)
        case 3: try putLog(&input)
        case 4: try putRollback(&input)
        case 5: try putMap(&input)
        case 6:
            let folder = input.choice(2) == 0 ? paths.maps : paths.cuts
            let name = String(input.text().filter { $0 != "/" }.prefix(40))
            guard !name.isEmpty, name != ".", name != ".." else { return }
            if folder == paths.cuts {
                try disk.makeDirectory(folder + "/" + name)
            } else {
                try put([], at: folder + "/" + name)
            }
        default:
            let epoch = self.epoch(&input)
            try disk.makeDirectory(paths.cut(epoch))
            try putSealed(jsonOf(CutRecord.self, input.piece()), at: paths.cutRecord(epoch))
        }
    }

    private func epoch(_ input: inout FuzzInput) -> Int {
        let choice = input.choice(5)
        return choice < 4 ? choice : input.edge()
    }

    /// A valid size that is huge costs gigabytes of bitmap by right; it says nothing new.
    private func tame(_ size: Int) -> Int { size > 1 << 30 && size <= 1 << 46 ? 1 << 20 : size }

    private func editRecord(_ input: inout FuzzInput) throws {
        guard var record = try? RecordFile.read(VolumeRecord.self, from: paths.record, on: disk) else { return }
        let field = input.choice(10), value = input.edge(), isSet = input.flag()
        switch field {
        case 0: record.size = tame(value)
        case 1: record.firstEpoch = value
        case 2: record.settledEpoch = value
        case 3: record.isClean = isSet
        case 4: record.isEverythingDirty = isSet
        case 5: record.rollback = isSet ? "snap-back" : nil
        case 6: record.home = isSet ? "home-2.img" : input.text()
        case 7: record.format = value
        case 8: record.bootID = "another"
        default: record.homeInode = UInt64(truncatingIfNeeded: value)
        }
        try RecordFile.write(record, to: paths.record, on: disk)
    }

    private func makeCut(_ input: inout FuzzInput) throws {
        let isNumberRight = input.choice(8) != 7, epoch = self.epoch(&input)
        try disk.makeDirectory(paths.cut(epoch))
        let overlay = try disk.open(paths.overlay(epoch), .create)
        try overlay.resize(to: Self.size)
        try [UInt8](repeating: 9, count: 4096).readBytes { (bytes) throws(BlockFailure) in
            try overlay.write(bytes, at: 8192, durably: false)
        }
        let inode = try disk.facts(paths.overlay(epoch))?.inode ?? 0
        var record = CutRecord(
            epoch: isNumberRight ? epoch : epoch &+ 1, snapshot: "snap-\(epoch)", parent: nil, size: Self.size.bytes,
            time: 0, isEverythingDirty: input.flag(), overlayInode: inode)
        if input.byte() & 1 == 1 {
            record.size = tame(input.edge())
            record.time = Int64(record.size)
        }
        try RecordFile.write(record, to: paths.cutRecord(epoch), on: disk)
    }

    private func putLog(_ input: inout FuzzInput) throws {
        let isRaw = input.flag(), epoch = self.epoch(&input), body = input.piece()
        try disk.makeDirectory(paths.cut(epoch))
        let record = littleEndian(UInt32(body.count)) + littleEndian(Checksum.crc32c(body)) + body
        try put(isRaw ? body : record, at: paths.capturedLog(epoch))
    }

    private func putRollback(_ input: inout FuzzInput) throws {
        if input.flag() { return try put(input.piece(), at: paths.rollbackRuns) }
        let count = input.choice(4)
        var bytes = littleEndian(UInt64(count))
        for _ in 0..<count {
            for _ in 0..<2 {
                let value = input.flag() ? input.edge() : input.choice(20)
                bytes += littleEndian(UInt64(bitPattern: Int64(value)))
            }
        }
        try put(bytes + littleEndian(Checksum.crc32c(bytes)), at: paths.rollbackRuns)
    }

    private func putMap(_ input: inout FuzzInput) throws {
        let isMade = input.choice(2) == 1, epoch = self.epoch(&input)
        if isMade, VolumePaths.epochLimits.contains(epoch) {
            let map = try EpochMap.create(epoch, paths, on: disk)
            try map.insert(BlockRange(at: 1, count: 3))
        } else {
            try put(input.piece(), at: paths.map(epoch))
        }
    }

    private func put(_ bytes: [UInt8], at path: String) throws {
        try disk.remove(path)
        let file = try disk.open(path, .createNew)
        try bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
    }

    /// The text, unless it asks for a valid but huge size.
    private func jsonOf<Record: Sized>(_: Record.Type, _ json: [UInt8]) -> [UInt8] {
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(json)), tame(record.size) != record.size
        else { return json }
        return []
    }

    private func putSealed(_ json: [UInt8], at path: String) throws {
        let crc = String(Checksum.crc32c(json), radix: 16)
        try put(
            json + Array("\ncrc32c \(String(repeating: "0", count: 8 - crc.count))\(crc)\n".utf8), at: path)
    }
}

private protocol Sized: Decodable {
    var size: Int { get }
}
extension VolumeRecord: Sized {}
extension CutRecord: Sized {}
