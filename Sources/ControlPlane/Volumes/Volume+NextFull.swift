internal import Blocks
internal import VolumeEngine

extension Volume {
    /// Makes the next snapshot build on none instead of on `parent`. Blocks; nothing happens if it builds on another.
    ///
    /// - Throws: also while other cuts are pending that count from `parent`.
    func makeNextFull(instead parent: String) throws(VolumeFailure) {
        try rebase(from: parent, to: nil) { (block) throws(BlockFailure) in try nextAllocated(from: block) }
    }

    /// Makes the next snapshot build on none, whatever it would build on. Blocks; call in the volume's lane.
    func makeNextFull() throws(VolumeFailure) {
        // A completed cut that is not settled yet becomes the parent when it is.
        try settle()
        if let parent = status.parent { try makeNextFull(instead: parent) }
    }
}
