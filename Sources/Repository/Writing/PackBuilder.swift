internal import Blocks

/// A pack being filled. Pure: no store, no lock.
struct PackBuilder {
    private(set) var bytes: [UInt8]
    private(set) var footer: PackFooter
    /// Changed blocks that this pack settles, ascending within each addition.
    private var settled: [BlockRange] = []
    private(set) var settledBlocks = 0
    /// Blocks that had to be read for it: what progress counts.
    var markedBlocks = 0

    init(name: PackName, capacity: Int) {
        footer = PackFooter(name: name)
        bytes = PackFooter.header
        bytes.reserveCapacity(capacity)
    }

    var name: PackName { footer.name }
    var isFull: Bool { bytes.count >= Limits.packBytes || settledBlocks >= PackBuilder.settledBlocksMax }
    /// A pack that settles a gibibyte is put even if little of it had to be stored.
    private static let settledBlocksMax = 1 << 18

    mutating func append(_ frame: EncodedFrame, stored: RawSpan) -> FramePointer {
        let entry = PackFooter.Entry(
            offset: bytes.count, storedLength: stored.byteCount, plainLength: frame.plainLength, codec: frame.codec,
            digest: frame.digest, what: frame.what)
        bytes.append(copying: stored)
        footer.entries.append(entry)
        settle(frame.captured)
        return footer.pointer(entry)
    }

    mutating func settle(zero: [BlockRange], same: [BlockRange]) {
        footer.zeroRuns += zero
        footer.sameRuns += same
        settle(zero)
        settle(same)
    }

    private mutating func settle(_ runs: [BlockRange]) {
        settled += runs
        settledBlocks += runs.reduce(0) { $0 + $1.count.count }
    }

    /// The pack's bytes and what it settles.
    mutating func sealed() -> SealedPack {
        // Leaves come from several threads, so runs of different leaves arrive in any order.
        footer.zeroRuns = BlockRuns.joined(footer.zeroRuns.sorted { $0.start < $1.start })
        footer.sameRuns = BlockRuns.joined(footer.sameRuns.sorted { $0.start < $1.start })
        bytes += footer.encoded()
        let runs = BlockRuns.joined(settled.sorted { $0.start < $1.start })
        return SealedPack(footer: footer, bytes: bytes, runs: runs, markedBlocks: markedBlocks)
    }
}

/// A whole pack on its way to the store.
struct SealedPack: Sendable {
    var footer: PackFooter
    var bytes: [UInt8]
    /// Changed blocks that it settles.
    var runs: [BlockRange]
    /// Blocks that had to be read for it.
    var markedBlocks: Int
    /// Does `content` want to hear of it? (Not of packs that hold only nodes.)
    var isData: Bool { !runs.isEmpty }
}

/// A frame ready to be put into a pack.
struct EncodedFrame: Sendable {
    /// Its place among the stored bytes that come with it.
    var place: Range<Int>
    var plainLength: Int
    var codec: FrameCodec
    var digest: Digest
    var what: PackFooter.What
    /// Those of its blocks that changed (the others are rewritten to keep the leaf tidy).
    var captured: [BlockRange] = []
}
