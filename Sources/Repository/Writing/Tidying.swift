internal import Synchronization

/// Decides which scattered leaves a snapshot stores whole again, so that old packs can go and reads stay few.
///
/// A leaf is scattered when its frames hold four times the blocks that are still needed, or when there are very many of
/// them. Rewriting is paid for by what the snapshot stores anyway: at most an eighth on top.
final class Tidying: Sendable {
    private static let scatter = 4
    private static let framesMax = 512
    private static let framesHardMax = 1024
    private static let share = 8

    private let rewritten = Atomic(0)
    private let storedBlocks: @Sendable () -> Int

    /// - Parameter storedBlocks: blocks' worth of bytes that the snapshot has stored so far.
    init(storedBlocks: @escaping @Sendable () -> Int) { self.storedBlocks = storedBlocks }

    /// May this leaf be rewritten, at the price of `keptBlocks`? Counts them if so.
    func allows(_ leaf: Leaf, keptBlocks: Int) -> Bool {
        let isScattered = leaf.frameBlocks >= Tidying.scatter * max(1, leaf.liveBlocks) && leaf.frames.count > 32
        guard isScattered || leaf.frames.count > Tidying.framesMax else { return false }
        let spent = rewritten.load(ordering: .relaxed)
        guard leaf.frames.count > Tidying.framesHardMax || (spent + keptBlocks) * Tidying.share <= storedBlocks() else {
            return false
        }
        rewritten.add(keptBlocks, ordering: .relaxed)
        return true
    }
}
