public import Blocks

/// What a volume still holds of the snapshots that it counts its changes from: for checking one against the other.
/// Any thread; calls may have to wait for a cut, a settling or a rollback to end.
extension Volume {
    /// The snapshots that the volume counts changes from: its record's, and those of cuts that are not given up.
    public var countedSnapshots: [String] {
        let (parent, cuts) = control.withLock { ($0.record.parent, $0.generation.cuts) }
        return (parent.map { [$0] } ?? []) + cuts.filter { !$0.isGivenUp }.map(\.snapshot)
    }

    /// The first run within `blocks` that may have changed since `snapshot`, or nil; it may be cut short. All of them
    /// if that cannot be told: the volume does not count from that snapshot, is not all here, or failed.
    public func nextChange(since snapshot: String, in blocks: BlockRange) -> BlockRange? {
        guard let maps = maps(since: snapshot, firstEpoch: nil) else { return blocks }
        return maps.compactMap { $0.nextRun(from: blocks.start, below: blocks.end) }.min { $0.start < $1.start }
    }

    /// Fills `target` with the live content of blocks that claim to be unchanged since `snapshot`. False if they are
    /// changed after all, were written meanwhile, or cannot be told; the bytes then mean nothing.
    ///
    /// True: what was read is what the volume held when `snapshot` was cut, or someone changed it behind our back.
    public func readIfUnchanged(
        since snapshot: String, _ blocks: BlockRange, into target: inout MutableRawSpan
    ) throws(BlockFailure) -> Bool {
        // A rollback to the very same snapshot would make the maps forget what the read may have seen.
        let firstEpoch = control.withLock { $0.record.firstEpoch }
        return try readIfUnmarked(blocks, into: &target) { maps(since: snapshot, firstEpoch: firstEpoch) }
    }

    /// Every map of changes since `snapshot`, or nil if that cannot be told.
    private func maps(since snapshot: String, firstEpoch: Int?) -> [BlockBitmap]? {
        control.withLock { control in
            let (record, generation) = (control.record, control.generation)
            // A failed rollback may have punched blocks that no map knows of.
            guard !isFailed, !control.isClosed, generation.hydration == nil else { return nil }
            guard firstEpoch == nil || record.firstEpoch == firstEpoch else { return nil }
            if record.parent == snapshot { return generation.cuts.map(\.delta) + [generation.dirty] }
            let cut = generation.cuts.firstIndex { $0.snapshot == snapshot && !$0.isGivenUp }
            return cut.map { generation.cuts[($0 + 1)...].map(\.delta) + [generation.dirty] }
        }
    }

    /// Reads the live content of `blocks`; true if none of the maps had one of them, neither before nor afterwards.
    ///
    /// A writer's bits are in the newest map before its bytes move. So if, after the read, no map since an instant has
    /// one of the blocks, what was read is what the blocks held at that instant.
    ///
    /// - Parameter maps: gives every map since that instant, anew at each call; nil if that cannot be told.
    func readIfUnmarked(
        _ blocks: BlockRange, into target: inout MutableRawSpan, _ maps: () -> [BlockBitmap]?
    ) throws(BlockFailure) -> Bool {
        precondition(target.byteCount == blocks.count.size.bytes)
        guard let inside = blocks.bytes.intersection(ByteRange(at: 0, count: size)), inside.touchedBlocks == blocks,
            Self.isUnmarked(blocks, maps())
        else { return false }
        try target.withPart(0..<inside.count.bytes) { (part) throws(BlockFailure) in try read(inside, into: &part) }
        // The last block may be cut short: past the end there is nothing.
        target.withPart(inside.count.bytes..<target.byteCount) { $0.fillWithZeros() }
        return Self.isUnmarked(blocks, maps())
    }

    private static func isUnmarked(_ blocks: BlockRange, _ maps: [BlockBitmap]?) -> Bool {
        maps?.allSatisfy { $0.nextRun(from: blocks.start, below: blocks.end) == nil } ?? false
    }
}
