public import Blocks

/// A pack that the store has acknowledged, and the blocks it holds.
public struct CapturedPack: Equatable, Sendable {
    /// The pack's number within its snapshot.
    public var pack: Int
    /// The blocks, ascending.
    public var runs: [BlockRange]

    /// Makes a record.
    public init(pack: Int, runs: [BlockRange]) {
        self.pack = pack
        self.runs = runs
    }
}

/// `captured.log`: append-only, one record per pack that became durable in the store.
///
/// ```
/// record = length:u32  crc:u32  body            ; CRC-32C of body; all little-endian
/// body   = pack:u32  count:u32  count * (start:u64  blocks:u32)
/// ```
/// Reading stops at the first record that is short or fails its checksum: what follows was never acknowledged.
final class CapturedLog: Sendable {
    private let file: any DiskFile
    private struct State {
        var end: ByteOffset
        var packs: [CapturedPack]
    }
    private let state: Guarded<State>

    private init(_ file: any DiskFile, _ packs: [CapturedPack], end: ByteOffset) {
        self.file = file
        state = Guarded(State(end: end, packs: packs))
    }

    static func create(_ path: String, on disk: any Disk) throws(DiskFailure) -> CapturedLog {
        CapturedLog(try disk.open(path, .create), [], end: 0)
    }

    /// Opens a log and reads its whole records.
    static func open(_ path: String, on disk: any Disk) throws(VolumeFailure) -> CapturedLog {
        let file = try VolumeFailure.disk { () throws(DiskFailure) in try disk.open(path, .create) }
        let bytes = try VolumeFailure.block("reading \(path)") { () throws(BlockFailure) in
            var bytes = [UInt8](repeating: 0, count: try file.size().bytes)
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            // What is read here unfreezes blocks: it must not be in the page cache alone.
            try file.sync()
            return bytes
        }
        let (packs, end) = decode(bytes)
        return CapturedLog(file, packs, end: ByteOffset(end))
    }

    var packs: [CapturedPack] { state.withLock { $0.packs } }

    /// Appends a record and makes it durable.
    func append(_ pack: CapturedPack) throws(BlockFailure) {
        let record = Self.encode(pack)
        try state.withLock { (state) throws(BlockFailure) in
            let end = state.end
            try record.readBytes { (all) throws(BlockFailure) in try file.write(all, at: end, durably: false) }
            try file.sync()
            state.end = end + ByteCount(record.count)
            state.packs.append(pack)
        }
    }

    static func encode(_ pack: CapturedPack) -> [UInt8] {
        var body = littleEndian(UInt32(pack.pack)) + littleEndian(UInt32(pack.runs.count))
        for run in pack.runs { body += littleEndian(UInt64(run.start.number)) + littleEndian(UInt32(run.count.count)) }
        return littleEndian(UInt32(body.count)) + littleEndian(Checksum.crc32c(body)) + body
    }

    /// The whole records at the start of `bytes`, and where they end.
    static func decode(_ bytes: [UInt8]) -> (packs: [CapturedPack], end: Int) {
        var packs: [CapturedPack] = []
        var position = 0
        while bytes.count - position >= 16 {
            let length = Int(bytes.number(UInt32.self, at: position))
            guard length >= 8, length <= bytes.count - position - 8 else { break }
            let body = Array(bytes[position + 8..<position + 8 + length])
            guard Checksum.crc32c(body) == bytes.number(UInt32.self, at: position + 4), let pack = decodeBody(body)
            else { break }
            packs.append(pack)
            position += 8 + length
        }
        return (packs, position)
    }

    private static func decodeBody(_ body: [UInt8]) -> CapturedPack? {
        let count = Int(body.number(UInt32.self, at: 4))
        guard body.count == 8 + count * 12 else { return nil }
        var runs: [BlockRange] = []
        for index in 0..<count {
            let start = body.number(UInt64.self, at: 8 + index * 12)
            guard start <= UInt64(BlockBitmap.maximumBlocks.count) else { return nil }
            let run = BlockRange(
                at: BlockIndex(Int(start)), count: BlockCount(Int(body.number(UInt32.self, at: 16 + index * 12))))
            guard run.end.number <= BlockBitmap.maximumBlocks.count else { return nil }
            runs.append(run)
        }
        return CapturedPack(pack: Int(body.number(UInt32.self, at: 0)), runs: runs)
    }
}
