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

    private let isSealed: Bool

    /// - Parameter isSealed: leave room for what encrypting it will add; see ``SnapshotCipher/seal(_:)``.
    init(name: PackName, capacity: Int, isSealed: Bool) {
        footer = PackFooter(name: name)
        bytes = isSealed ? PackFooter.sealedHeader : PackFooter.header
        self.isSealed = isSealed
        bytes.reserveCapacity(capacity)
    }

    var name: PackName { footer.name }
    var isFull: Bool { bytes.count >= Limits.packBytes || settledBlocks >= PackBuilder.settledBlocksMax }
    /// A pack that settles a gibibyte is put even if little of it had to be stored.
    private static let settledBlocksMax = 1 << 18

    mutating func append(_ frame: EncodedFrame, stored: RawSpan) -> FramePointer {
        precondition(isSealed || !frame.codec.isSealed)
        let overhead = frame.codec.isSealed ? SnapshotCipher.overhead : 0
        let entry = PackFooter.Entry(
            offset: bytes.count, storedLength: stored.byteCount + overhead, plainLength: frame.plainLength,
            codec: frame.codec,
            digest: frame.digest, what: frame.what)
        if frame.codec.isSealed { bytes.append(zeros: SnapshotCipher.saltBytes) }
        bytes.append(copying: stored)
        if frame.codec.isSealed { bytes.append(zeros: AESGCM.tagBytes) }
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
        let runs = BlockRuns.joined(settled.sorted { $0.start < $1.start })
        guard isSealed else {
            bytes += footer.encoded()
            return SealedPack(footer: footer, bytes: bytes, runs: runs, markedBlocks: markedBlocks)
        }
        let start = bytes.count
        bytes.append(zeros: SnapshotCipher.saltBytes)
        bytes += footer.body()
        bytes.append(zeros: AESGCM.tagBytes)
        let place = start..<bytes.count
        bytes.append(zeros: PackFooter.trailerBytes)
        return SealedPack(
            footer: footer, bytes: bytes, runs: runs, markedBlocks: markedBlocks, sealedFooter: place)
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
    /// Where the footer lies, if the pack must still be encrypted before it may be put.
    var sealedFooter: Range<Int>?
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
