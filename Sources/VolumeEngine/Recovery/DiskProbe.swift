public import Blocks

/// Finds out whether a file system tells the truth about holes, which the engine relies on: a block is in an overlay,
/// or in the home of a volume being restored, if and only if the file has data there.
public enum DiskProbe {
    /// Writes a small file in `directory`, looks at its extents before and after a sync, and removes it.
    ///
    /// - Throws: ``VolumeFailure/wrongState(_:)`` with what is wrong with the file system.
    public static func check(_ directory: String, on disk: any Disk) throws(VolumeFailure) {
        let path = directory + "/.extent-probe"
        let file = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.remove(path)
            return try disk.open(path, .createNew)
        }
        defer { try? disk.remove(path) }
        let found = try VolumeFailure.block("probing \(directory)") { () throws(BlockFailure) in try probe(file) }
        if let found {
            throw .wrongState(
                "the file system of \(directory) cannot hold volumes: \(found). Use ext4, XFS, btrfs or tmpfs")
        }
    }

    /// Blocks 3 (bytes), 6 (written zeros) and 9 and 10 (bytes) are written; 10 is punched again; of 12 one sector is
    /// written, which must make exactly the whole block data: with smaller file system blocks half a block could survive
    /// a power loss.
    private static func probe(_ file: any DiskFile) throws(BlockFailure) -> String? {
        try file.resize(to: BlockCount(16).size)
        var ones = AlignedBuffer(count: Block.size.bytes)
        let zeros = AlignedBuffer(count: Block.size.bytes)
        ones.write(0..<ones.count) { span in
            let pattern = [UInt8](repeating: 0xA5, count: span.byteCount)
            pattern.readBytes { span.copy($0, at: 0) }
        }
        for block in [3, 9, 10] as [BlockIndex] {
            try ones.read(0..<ones.count) { (all) throws(BlockFailure) in
                try file.write(all, at: block.offset, durably: false)
            }
        }
        try zeros.read(0..<zeros.count) { (all) throws(BlockFailure) in
            try file.write(all, at: BlockIndex(6).offset, durably: false)
        }
        try file.punch(BlockRange(at: 10, count: 1).bytes)
        try ones.read(0..<Sector.size.bytes) { (part) throws(BlockFailure) in
            try file.write(part, at: BlockIndex(12).offset, durably: false)
        }
        for stage in ["before a sync", "after a sync"] {
            let runs = try extents(file)
            if try file.nextHole(from: BlockIndex(12).offset) != BlockIndex(13).offset {
                return "it keeps data in units that are not 4096 bytes"
            }
            if runs != [3, 6, 9, 12] {
                return "with data in blocks 3, 6, 9 and 12 it reports data in blocks \(runs) \(stage)"
            }
            try file.sync()
        }
        return nil
    }

    private static func extents(_ file: any DiskFile) throws(BlockFailure) -> [Int] {
        var found: [Int] = []
        var position: ByteOffset = 0
        while let data = try file.nextData(from: position) {
            let hole = try file.nextHole(from: data)
            let run = ByteRange(from: data, to: hole).touchedBlocks
            found += run.start.number..<run.end.number
            position = hole
        }
        return found
    }
}
