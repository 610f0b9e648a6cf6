internal import Blocks
internal import VolumeEngine

extension Volume {
    /// Makes the next snapshot capture `runs` anew, though they did not change since `parent`, because the store lost
    /// them. Blocks; nothing happens if it builds on another.
    ///
    /// - Throws: also while other cuts are pending that count from `parent`.
    func countAsChanged(_ runs: [BlockRange], since parent: String) throws(VolumeFailure) {
        var next = 0
        try rebase(from: parent, to: parent) { (block) throws(BlockFailure) in
            while next < runs.count, runs[next].end <= block { next += 1 }
            return next < runs.count ? runs[next] : nil
        }
    }
}
