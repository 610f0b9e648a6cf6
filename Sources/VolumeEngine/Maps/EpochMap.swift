internal import Blocks

/// The file with the blocks changed in one epoch: `maps/<epoch>.map`.
///
/// ```
/// 0     8  "VARVEMAP"
/// 8     4  format, 1, little-endian
/// 12    4  zero
/// 16    8  epoch
/// 24    4  CRC-32C of bytes 0..<24
/// 4096  .. one bit per 4 KiB block, lowest bit of the lowest byte first
/// ```
/// The file is 4096 bytes + 2 GiB long and sparse, so that a volume may grow to 64 TiB under the same mapping.
enum EpochMap {
    static let header: ByteCount = 4096
    static let length = ByteCount(4096 + BlockBitmap.maximumBlocks.count / 8)
    private static let magic = Array("VARVEMAP".utf8)

    /// Makes an empty map: under its name only once it is whole and durable, so that a name means a map. The name is
    /// durable only after the folder is synced.
    static func create(_ epoch: Int, _ paths: VolumePaths, on disk: any Disk) throws(VolumeFailure) -> BlockBitmap {
        let path = paths.map(epoch)
        let beside = path + ".new"
        try VolumeFailure.disk { () throws(DiskFailure) in try disk.remove(beside) }
        let file = try VolumeFailure.disk { () throws(DiskFailure) in try disk.open(beside, .createNew) }
        try VolumeFailure.block("making \(path)") { () throws(BlockFailure) in
            try file.resize(to: length)
            try headerBytes(epoch).readBytes { (all) throws(BlockFailure) in
                try file.write(all, at: 0, durably: false)
            }
            try file.sync()
        }
        try VolumeFailure.disk { () throws(DiskFailure) in try disk.rename(beside, to: path) }
        return try VolumeFailure.block("mapping \(path)") { () throws(BlockFailure) in
            try BlockBitmap(mapping: file, after: header)
        }
    }

    /// Opens the map of `epoch`, checking its header.
    static func open(_ epoch: Int, _ paths: VolumePaths, on disk: any Disk) throws(VolumeFailure) -> BlockBitmap {
        let path = paths.map(epoch)
        let file = try VolumeFailure.disk { () throws(DiskFailure) in try disk.open(path, .readWrite) }
        var found = [UInt8](repeating: 0, count: 28)
        let size = try VolumeFailure.block("reading \(path)") { () throws(BlockFailure) in
            try found.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            return try file.size()
        }
        guard found == headerBytes(epoch) else { throw .corrupt(path: path, reason: "its header is not that of a map") }
        guard size == length else { throw .corrupt(path: path, reason: "it is \(size.bytes) bytes long") }
        return try VolumeFailure.block("mapping \(path)") { () throws(BlockFailure) in
            try BlockBitmap(mapping: file, after: header)
        }
    }

    private static func headerBytes(_ epoch: Int) -> [UInt8] {
        var bytes = magic
        bytes += littleEndian(UInt32(1)) + littleEndian(UInt32(0)) + littleEndian(UInt64(epoch))
        return bytes + littleEndian(Checksum.crc32c(bytes))
    }
}

/// The bytes of a number, lowest first.
func littleEndian<N: FixedWidthInteger>(_ number: N) -> [UInt8] {
    (0..<N.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}

extension [UInt8] {
    /// The number whose bytes start at `position`, lowest first.
    func number<N: FixedWidthInteger>(_ type: N.Type = N.self, at position: Int) -> N {
        var result: N = 0
        for index in 0..<N.bitWidth / 8 { result |= N(truncatingIfNeeded: self[position + index]) << (index * 8) }
        return result
    }
}
