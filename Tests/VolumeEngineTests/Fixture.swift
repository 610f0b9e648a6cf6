import Blocks
import Testing
import VolumeEngine

/// A directory that goes away with its owner.
final class Scratch: Sendable {
    let path: String
    private let disk = LocalDisk()
    init() throws {
        path = "/var/tmp/varve-engine-\(UInt64.random(in: 0 ... .max))"
        try disk.makeDirectory(path)
    }
    deinit { try? disk.removeTree(path) }
}

/// An image in memory that a volume can be restored from.
final class ImageSource: BlockSource {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var size: ByteCount { ByteCount(bytes.count) }
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        target.fillWithZeros()
        let start = blocks.start.offset.bytes
        let end = min(bytes.count, start + blocks.count.size.bytes)
        if start < end { bytes.readBytes { target.copy($0.extracting(start..<end), at: 0) } }
    }
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        var number = block.number
        while number * 4096 < bytes.count {
            if bytes[number * 4096..<min(bytes.count, number * 4096 + 4096)].contains(where: { $0 != 0 }) {
                return BlockRange(at: BlockIndex(number), count: 1)
            }
            number += 1
        }
        return nil
    }
}

extension VolumeEnvironment {
    static func local(boot: String = "boot-1", background: Bool = false) -> VolumeEnvironment {
        VolumeEnvironment(
            disk: LocalDisk(), clock: SystemClock(), bootID: boot, runsBackgroundWork: background, hydrationThreads: 3)
    }
}

extension BlockDevice {
    func put(_ bytes: [UInt8], at offset: Int, durably: Bool = false) throws {
        try bytes.readBytes { (all) throws(BlockFailure) in
            try write(ByteRange(at: ByteOffset(offset), count: ByteCount(bytes.count)), from: all, durably: durably)
        }
    }
    func get(_ offset: Int, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        try bytes.writeBytes { (all) throws(BlockFailure) in
            try read(ByteRange(at: ByteOffset(offset), count: ByteCount(count)), into: &all)
        }
        return bytes
    }
    func all() throws -> [UInt8] { try get(0, size.bytes) }
}

extension CutView {
    func get(_ blocks: BlockRange) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: blocks.count.size.bytes)
        try bytes.writeBytes { (all) throws(BlockFailure) in try read(blocks, into: &all) }
        return bytes
    }
    /// The cut's content, given its parent's: what an upload would make.
    func image(over parent: [UInt8]) throws -> [UInt8] {
        var image = parent + [UInt8](repeating: 0, count: max(0, size.bytes - parent.count))
        var position: BlockIndex = 0
        while let run = try nextChange(from: position) {
            let bytes = try get(run)
            let start = run.start.offset.bytes
            let end = min(image.count, run.end.offset.bytes)
            image.replaceSubrange(start..<end, with: bytes.prefix(end - start))
            position = run.end
        }
        return image
    }
}

func pattern(_ count: Int, _ seed: UInt8) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 4096 &* 7 &+ Int(seed) &* 13 &+ 1) }
}
