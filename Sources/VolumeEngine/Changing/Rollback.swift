internal import Blocks

/// A rollback's journal: `rollback.runs`, the blocks that differ and must become absent.
///
/// ```
/// count:u64  count * (start:u64  blocks:u64)  crc:u32     ; little-endian; CRC-32C of what is before it
/// ```
enum Rollback {
    static func record(_ runs: [BlockRange], _ paths: VolumePaths, on disk: any Disk) throws(VolumeFailure) {
        var bytes = littleEndian(UInt64(runs.count))
        for run in runs { bytes += littleEndian(UInt64(run.start.number)) + littleEndian(UInt64(run.count.count)) }
        bytes += littleEndian(Checksum.crc32c(bytes))
        let path = paths.rollbackRuns
        let file = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.remove(path)
            return try disk.open(path, .createNew)
        }
        try VolumeFailure.block("writing \(path)") { () throws(BlockFailure) in
            try bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
            try file.sync()
        }
        try VolumeFailure.disk { () throws(DiskFailure) in try disk.syncDirectory(paths.directory) }
    }

    /// Makes the recorded blocks absent. May be repeated.
    static func punch(
        _ paths: VolumePaths, _ home: any DiskFile, size: ByteCount, on disk: any Disk
    ) throws(VolumeFailure) {
        let runs = try read(paths, on: disk)
        let whole = BlockCount(covering: size).size
        try VolumeFailure.block("rolling back") { () throws(BlockFailure) in
            for run in runs {
                guard let part = run.bytes.intersection(ByteRange(at: 0, count: whole)) else { continue }
                try home.punch(part)
            }
            try home.sync()
        }
        Failpoint.hit("rollback.punched")
    }

    /// From here on the volume is the snapshot: everything absent comes from it, nothing has changed since it.
    static func complete(_ record: inout VolumeRecord, to snapshot: String, newest: Int) {
        record.rollback = nil
        record.source = snapshot
        record.parent = snapshot
        record.firstEpoch = newest + 1
        record.isEverythingDirty = false
    }

    private static func read(_ paths: VolumePaths, on disk: any Disk) throws(VolumeFailure) -> [BlockRange] {
        let path = paths.rollbackRuns
        let file = try VolumeFailure.disk { () throws(DiskFailure) in try disk.open(path, .readOnly) }
        let bytes = try VolumeFailure.block("reading \(path)") { () throws(BlockFailure) in
            var bytes = [UInt8](repeating: 0, count: try file.size().bytes)
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            return bytes
        }
        guard bytes.count >= 12, (bytes.count - 12) % 16 == 0,
            bytes.number(UInt64.self, at: 0) == UInt64((bytes.count - 12) / 16),
            Checksum.crc32c(Array(bytes.dropLast(4))) == bytes.number(UInt32.self, at: bytes.count - 4)
        else { throw .corrupt(path: path, reason: "its length or checksum does not match") }
        var runs: [BlockRange] = []
        for index in 0..<(bytes.count - 12) / 16 {
            let start = bytes.number(UInt64.self, at: 8 + index * 16)
            let count = bytes.number(UInt64.self, at: 16 + index * 16)
            let limit = UInt64(BlockBitmap.maximumBlocks.count)
            guard start <= limit, count <= limit - start else {
                throw .corrupt(path: path, reason: "a run of \(count) blocks from \(start) is in no volume")
            }
            runs.append(BlockRange(at: BlockIndex(Int(start)), count: BlockCount(Int(count))))
        }
        return runs
    }
}
