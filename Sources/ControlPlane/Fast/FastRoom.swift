internal import Blocks

/// How much of the local disk copies may take: guests' volumes come first.
struct FastRoom {
    /// What volumes keep free for themselves; below it pending snapshots are given up so that guests can write.
    let floor: ByteCount

    /// Copies go while less than this is free.
    var kept: ByteCount { ByteCount(floor.bytes * 2) }

    /// Why a copy that takes so much is not begun; nil: it may be. More is to stay free than makes it go again, so that it does
    /// not come and go.
    func refusal(taking needed: ByteCount, of free: ByteCount) -> String? {
        let left = ByteCount(floor.bytes * 4)
        guard free < needed + left else { return nil }
        return
            "the local copy takes \(needed.bytes) bytes, and \(left.bytes) are to stay free for volumes: the disk of the data "
            + "directory has \(free.bytes) left. It is made when there is room"
    }
}
