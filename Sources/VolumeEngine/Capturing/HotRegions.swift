internal import Blocks

/// Where writers run into frozen blocks: how many writes went to an overlay, by region of 8 MiB.
///
/// Such a write costs more than one in place, so what is captured next should be what spares most of them. Kept in
/// memory alone; a write in place never comes here. Any thread.
final class HotRegions: Sendable {
    /// The size of a region: what an upload reads at once.
    private static let region = BlockCount(2048)
    /// The most regions that are remembered; further ones wait until there is room.
    private static let limit = 1024
    private let counts = Guarded<[Int: Int]>([:])

    func note(_ block: BlockIndex) {
        let region = block.number / Self.region.count
        counts.withLock { counts in
            guard counts[region] != nil || counts.count < Self.limit else { return }
            counts[region, default: 0] += 1
        }
    }

    /// The region with the most redirected writes since it was last taken, nil if there were none. It is forgotten.
    func take() -> BlockRange? {
        counts.withLock { counts in
            guard let hottest = counts.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) })?.key else { return nil }
            counts[hottest] = nil
            return BlockRange(at: BlockIndex(hottest * Self.region.count), count: Self.region)
        }
    }
}
