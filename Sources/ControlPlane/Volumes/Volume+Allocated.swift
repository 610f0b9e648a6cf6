internal import Blocks
internal import VolumeEngine

extension Volume {
    /// The next run of blocks at or after `block` that may be non-zero, or nil.
    func nextAllocated(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        var position = block.offset
        let end = ByteOffset(size.bytes)
        while position < end {
            for extent in try allocation(in: ByteRange(from: position, to: end)) {
                if extent.isSet { return extent.range.touchedBlocks }
                position = extent.range.end
            }
        }
        return nil
    }
}
