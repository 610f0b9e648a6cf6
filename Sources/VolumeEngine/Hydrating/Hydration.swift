internal import Blocks
internal import Synchronization

/// The source of a restored volume's absent blocks, and which blocks are here.
///
/// A block is absent while home has a hole there and the source is set; the file system's extents are the durable map,
/// `present` repeats in memory what has been seen of it. Whatever is written to an absent block must therefore be data,
/// never a hole or a preallocated range. Nothing becomes absent again.
final class Hydration: Sendable {
    let snapshot: String
    let source: any BlockSource
    /// Blocks past the source's end are zeros, never absent.
    let end: BlockIndex
    private let present = BlockBitmap()
    private let isHomeEmpty: Bool
    let progress = Guarded(Progress())
    private let released = Atomic(false)
    private let withdrawn = Atomic(false)

    /// Everything is here, durably: nothing counts as absent any more. Pass all stripe locks afterwards, so that
    /// whoever had found a block absent has brought it.
    func release() { released.store(true, ordering: .sequentiallyConsistent) }
    /// The volume is to be something else: nothing more of this source may reach home. Pass all stripe locks afterwards.
    func withdraw() {
        withdrawn.store(true, ordering: .sequentiallyConsistent)
        progress.withLock { $0.mustStop = true }
    }
    /// Did the file system fail to say what home holds? Then absent cannot be told from present, and until the volume is
    /// opened anew nothing that counts as absent may be read from the source or written to home: it may be newer.
    var isBlind: Bool { blind.load(ordering: .sequentiallyConsistent) }
    private let blind = Atomic(false)
    var isWithdrawn: Bool { withdrawn.load(ordering: .sequentiallyConsistent) }
    private var isReleased: Bool { released.load(ordering: .sequentiallyConsistent) }

    struct Progress {
        var hydrated: ByteCount = 0
        /// What the source has in all; while it cannot say, no less than that.
        var total: ByteCount = 0
        /// When filling began, as the clock's uptime.
        var began: Duration?
        var problem: String?
        var isDamaged = false
        var mustStop = false

        /// How long the rest will take at the pace so far.
        func left(at now: Duration) -> Duration? {
            guard let began, now > began, hydrated > .zero else { return nil }
            return (now - began) * (Double((total - hydrated).bytes) / Double(hydrated.bytes))
        }
    }

    /// - Parameter isHomeEmpty: home was just made, so that `present` tells all.
    init(snapshot: String, source: any BlockSource, size: ByteCount, isHomeEmpty: Bool) {
        self.snapshot = snapshot
        self.source = source
        end = BlockIndex(0) + BlockCount(covering: min(size, source.size))
        self.isHomeEmpty = isHomeEmpty
    }

    /// Is `block` surely here? False means: ask ``isAbsent(_:in:)``.
    func isKnownPresent(_ block: BlockIndex) -> Bool { block >= end || present.contains(block) || isReleased }

    func isKnownPresent(_ blocks: BlockRange) -> Bool { isSeenPresent(blocks) || isReleased }

    /// Has each of `blocks` been seen to have data? Unlike ``isKnownPresent(_:)`` this does not turn true because the source is
    /// let go, while a writer that found one absent still brings the rest of it: for those who take no lock.
    func isSeenPresent(_ blocks: BlockRange) -> Bool {
        present.nextGap(from: blocks.start, below: min(blocks.end, end)) == nil
    }

    /// Is `block` missing from home? The block's stripe lock is held, so no write of it is half done.
    ///
    /// A file system error makes the hydration blind: the block counts as absent, and whatever that leads to is refused.
    func isAbsent(_ block: BlockIndex, in home: any DiskFile) -> Bool {
        if isKnownPresent(block) { return false }
        if isHomeEmpty { return true }
        let data: ByteOffset?
        do throws(BlockFailure) { data = try home.nextData(from: block.offset) } catch {
            blind.store(true, ordering: .sequentiallyConsistent)
            return true
        }
        guard let data, data < (block + 1).offset else { return true }
        markPresent(BlockRange(at: block, count: 1))
        return false
    }

    /// The first run of absent blocks in `blocks`, which lie in one chunk whose stripe lock is held: what
    /// ``isAbsent(_:in:)`` says of each, with one question to the file system for all of them.
    func nextAbsent(in blocks: BlockRange, of home: any DiskFile) -> BlockRange? {
        if isReleased { return nil }
        let limit = min(blocks.end, end)
        var start = blocks.start
        while start < limit, let gap = present.nextGap(from: start, below: limit) {
            if isHomeEmpty { return gap }
            let data: ByteOffset?
            do throws(BlockFailure) { data = try home.nextData(from: gap.start.offset) } catch {
                blind.store(true, ordering: .sequentiallyConsistent)
                return gap
            }
            let known = data.map { BlockIndex(holding: $0) } ?? limit
            if known > gap.start { return BlockRange(from: gap.start, to: min(known, gap.end)) }
            markPresent(BlockRange(at: gap.start, count: 1))
            start = gap.start + 1
        }
        return nil
    }

    /// Notes that whole blocks have data in home now. Stripe lock held.
    func markPresent(_ run: BlockRange) {
        do { try present.insert(run) } catch { preconditionFailure("a bitmap in memory cannot be full") }
    }
}
