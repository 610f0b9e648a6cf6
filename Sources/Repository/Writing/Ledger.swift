/// What a new snapshot adds to its parent's sums: live bytes per pack, blocks stored, blocks changed.
struct Ledger {
    /// Change of each pack's live bytes.
    var packs: [PackName: Int] = [:]
    /// Change of the number of blocks that are not zero.
    var liveBlocks = 0
    /// Blocks that were stored anew or became zero.
    var changedBlocks = 0

    mutating func add(_ pointer: FramePointer) { packs[pointer.pack, default: 0] += pointer.storedLength }
    mutating func drop(_ pointer: FramePointer) { packs[pointer.pack, default: 0] -= pointer.storedLength }

    /// A leaf took another's place.
    mutating func replace(_ old: Leaf?, with new: Leaf?) {
        for frame in old?.frames ?? [] { drop(frame) }
        for frame in new?.frames ?? [] { add(frame) }
        liveBlocks += (new?.liveBlocks ?? 0) - (old?.liveBlocks ?? 0)
    }

    /// The parent's table with these changes. `sizes`: those of the packs of this snapshot.
    func applied(
        to table: PackTable, sizes: [PackName: Int]
    ) throws(FormatFailure) -> PackTable {
        var table = table
        for (pack, change) in packs where change != 0 {
            let known = table.packs[pack]
            guard let size = known?.size ?? sizes[pack] else { throw FormatFailure("lacks a pack that is in use") }
            let live = (known?.live ?? 0) + change
            guard (0...size).contains(live) else { throw FormatFailure("does not add up") }
            table.packs[pack] = live == 0 ? nil : PackTable.Entry(live: live, size: size)
        }
        return table
    }
}
