internal import Blocks
internal import Synchronization

/// What every request needs to know, fixed once published: which epoch, which map, which layers.
final class Generation: Sendable {
    /// The epoch that writes count in.
    let epoch: Int
    /// The blocks changed in this epoch.
    let dirty: BlockBitmap
    let home: any DiskFile
    /// Cuts that are pending or not yet settled, oldest first.
    let cuts: [Cut]
    /// Where absent blocks come from, while any are absent.
    let hydration: Hydration?
    /// No cut, no source: a volume is a raw file and nothing else.
    let isPlain: Bool
    /// Has every request of the epoch before left? Until then a writer of that epoch may still be setting bits in the
    /// newest cut's map, so every block must count as frozen (see ``Placement``).
    let isPreviousEpochDrained: Atomic<Bool>

    init(
        epoch: Int, dirty: BlockBitmap, home: any DiskFile, cuts: [Cut], hydration: Hydration?, startsEpoch: Bool
    ) {
        self.epoch = epoch
        self.dirty = dirty
        self.home = home
        self.cuts = cuts
        self.hydration = hydration
        isPlain = cuts.isEmpty && hydration == nil
        isPreviousEpochDrained = Atomic(!startsEpoch)
    }

    var isDrained: Bool { isPreviousEpochDrained.load(ordering: .sequentiallyConsistent) }

    /// The same epoch with other layers.
    func replacing(home: (any DiskFile)? = nil, cuts: [Cut]? = nil, hydration: Hydration?) -> Generation {
        Generation(
            epoch: epoch, dirty: dirty, home: home ?? self.home, cuts: cuts ?? self.cuts, hydration: hydration,
            startsEpoch: false)
    }
}
