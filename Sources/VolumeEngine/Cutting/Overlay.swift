internal import Blocks
internal import Synchronization

/// The sparse file that takes writes to frozen blocks after one cut. A block is in it if the file has data there;
/// `present` is that map in memory, set only after the whole block is written.
final class Overlay: Sendable {
    let file: any DiskFile
    let present: BlockBitmap
    private let blocks: Atomic<Int>
    private let isUnsynced = Atomic(true)

    /// - Parameter present: what the file holds already.
    init(_ file: any DiskFile, present: BlockBitmap, blocks: BlockCount) {
        self.file = file
        self.present = present
        self.blocks = Atomic(blocks.count)
    }

    var size: ByteCount { BlockCount(blocks.load(ordering: .relaxed)).size }

    /// Writes whole blocks that the overlay does not hold yet. Stripe lock held.
    ///
    /// When the disk is full some blocks may have got their data and not others: they are punched again, because a
    /// restart takes whatever has data for a write that happened.
    func add(_ run: BlockRange, from source: RawSpan, durably: Bool) throws(BlockFailure) {
        precondition(source.byteCount == run.count.size.bytes)
        do throws(BlockFailure) {
            try file.write(source, at: run.start.offset, durably: durably)
        } catch {
            do throws(BlockFailure) { try file.punch(run.bytes) } catch { throw .failed }
            // The punch too must be durable before a flush answers.
            noteWrite()
            throw error
        }
        noteWrite()
        try present.insert(run)
        blocks.add(run.count.count, ordering: .relaxed)
    }

    /// Writes within blocks that the overlay holds. Stripe lock held.
    func write(_ source: RawSpan, at offset: ByteOffset, durably: Bool) throws(BlockFailure) {
        try file.write(source, at: offset, durably: durably)
        noteWrite()
    }

    /// After the write, before it is acknowledged: a flush that clears the mark too early would miss it.
    private func noteWrite() { isUnsynced.store(true, ordering: .sequentiallyConsistent) }

    /// Makes everything written before the call durable.
    func sync() throws(BlockFailure) {
        guard isUnsynced.exchange(false, ordering: .sequentiallyConsistent) else { return }
        do { try file.sync() } catch {
            noteWrite()
            throw error
        }
    }
}
