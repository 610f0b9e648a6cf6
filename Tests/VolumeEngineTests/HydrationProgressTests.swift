import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// What is shown of a restore while it goes on, and how it asks its source.
@Suite struct HydrationProgressTests {
    /// A source that stops answering after a number of reads, and notes what it was asked for.
    private final class Halting: BlockSource {
        let inner: ImageSource
        let dataSize: ByteCount?
        let allowed: Guarded<Int>
        let reads = Guarded<[BlockRange]>([])
        var size: ByteCount { inner.size }

        init(_ bytes: [UInt8], dataSize: ByteCount?, reads: Int = .max) {
            inner = ImageSource(bytes)
            self.dataSize = dataSize
            allowed = Guarded(reads)
        }
        func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
            let isAllowed = allowed.withLock { left in
                left -= 1
                return left >= 0
            }
            if !isAllowed { throw .unavailable }
            reads.withLock { $0.append(blocks) }
            try inner.read(blocks, into: &target)
        }
        func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try inner.nextData(from: block) }
    }

    /// Blocks 0 to 9, 20 to 29 and 2000 to 2009 of 4096 hold data.
    private static let image: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 4096 * 4096)
        for (first, seed) in [(0, 1), (20, 2), (2000, 3)] {
            bytes.replaceSubrange(first * 4096..<(first + 10) * 4096, with: pattern(10 * 4096, UInt8(seed)))
        }
        return bytes
    }()

    private static func volume(of source: Halting) throws -> Volume {
        let disk = SimulatedDisk()
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        let plan = NewVolume(size: source.size, source: "snap-1", parent: "snap-1")
        try Volume.create(plan, at: "/volumes/vol-1", in: environment)
        return try Volume.open(at: "/volumes/vol-1", in: environment, source: source)
    }

    @Test("progress is measured by all that the source has, not by what was found so far")
    func knowsTheWhole() throws {
        let source = Halting(Self.image, dataSize: BlockCount(30).size, reads: 1)
        let volume = try Self.volume(of: source)
        #expect(throws: VolumeFailure.self) { try volume.hydrate() }
        let status = volume.status
        #expect(status.hydrated == BlockCount(20).size)
        #expect(status.toHydrate == BlockCount(30).size)
        #expect(status.hydrationLeft != nil)
    }

    @Test("of a source that cannot say how much it has, all that was not looked at yet counts")
    func countsTheUnknown() throws {
        let source = Halting(Self.image, dataSize: nil, reads: 1)
        let volume = try Self.volume(of: source)
        #expect(throws: VolumeFailure.self) { try volume.hydrate() }
        let status = volume.status
        #expect(status.hydrated == BlockCount(20).size)
        #expect(status.toHydrate == BlockCount(20 + 4096 - 30).size)
        source.allowed.withLock { $0 = .max }
        #expect(try volume.hydrate())
        #expect(volume.status.source == nil)
    }

    @Test("runs that lie close together come with one read, and nothing is read that a guest has written")
    func readsLittle() throws {
        let source = Halting(Self.image, dataSize: nil)
        let volume = try Self.volume(of: source)
        let written = pattern(10 * 4096, 77)
        try volume.put(written, at: 2000 * 4096)
        #expect(try volume.hydrate())
        #expect(source.reads.withLock { $0 } == [BlockRange(at: 0, count: 30)])
        #expect(try volume.get(2000 * 4096, 10 * 4096) == written)
        #expect(try volume.get(0, 30 * 4096) == Array(Self.image[..<(30 * 4096)]))
        // What the source has no data for stays a hole.
        #expect(volume.status.allocated == BlockCount(30).size)
    }

    @Test("a long stretch of data comes in pieces, and a lost block costs only itself")
    func piecesAndLosses() throws {
        let image = pattern(4096 * 3000, 5)
        let disk = SimulatedDisk()
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        let source = Damaged(image, lost: 1500)
        let plan = NewVolume(size: source.size, source: "snap-1", parent: "snap-1")
        try Volume.create(plan, at: "/volumes/vol-1", in: environment)
        let volume = try Volume.open(at: "/volumes/vol-1", in: environment, source: source)
        #expect(throws: VolumeFailure.self) { try volume.hydrate() }
        #expect(volume.status.hydrated == BlockCount(2999).size)
        #expect(volume.status.toHydrate == BlockCount(3000).size)
        #expect(try volume.get(0, 1500 * 4096) == Array(image[..<(1500 * 4096)]))
        #expect(try volume.get(1501 * 4096, 1499 * 4096) == Array(image[(1501 * 4096)...]))
        #expect(throws: BlockFailure.self) { try volume.get(1500 * 4096, 4096) }
    }

    /// All data, of which one block cannot be read.
    private final class Damaged: BlockSource {
        let bytes: [UInt8]
        let lost: BlockIndex
        var size: ByteCount { ByteCount(bytes.count) }

        init(_ bytes: [UInt8], lost: BlockIndex) { (self.bytes, self.lost) = (bytes, lost) }
        func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
            if blocks.contains(lost) { throw .corrupt(at: lost.offset) }
            #expect(blocks.count <= BlockCount(1024))
            let place = blocks.bytes
            bytes.readBytes { target.copy($0.extracting(place.start.bytes..<place.end.bytes), at: 0) }
        }
        func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
            let end = BlockIndex(0) + BlockCount(covering: size)
            return block < end ? BlockRange(from: block, to: end) : nil
        }
    }
}
