internal import Blocks

/// What becomes of each block of one leaf in a new snapshot. Pure.
struct LeafState {
    /// A block's fate.
    enum Fate: UInt8 {
        /// Not changed: the parent's.
        case kept
        /// Changed, may hold data: must be read and compared.
        case pending
        /// Changed, and zero now.
        case zero
        /// Marked as changed, but the same as in the parent.
        case same
        /// Put into a pack by an earlier run of this upload.
        case uploaded
        /// Not changed, but stored again because the leaf is too scattered.
        case rewritten
    }

    let number: Int
    /// Blocks of the leaf that lie within the volume.
    let count: Int
    var fates: [Fate]
    /// Of `uploaded` blocks: where they are.
    var uploaded = UploadedBlocks.Facts()

    init(number: Int, count: Int) {
        self.number = number
        self.count = count
        fates = Array(repeating: .kept, count: Limits.leafBlocks)
    }

    /// The first block.
    var origin: BlockIndex { BlockIndex(number * Limits.leafBlocks) }
    /// The blocks within the volume.
    var blocks: BlockRange { BlockRange(at: origin, count: BlockCount(count)) }

    mutating func mark(_ run: BlockRange, _ change: (Fate) -> Fate) {
        guard let part = run.intersection(blocks) else { return }
        for index in (part.start - origin).count..<(part.end - origin).count { fates[index] = change(fates[index]) }
    }

    /// Takes over what an earlier run settled.
    mutating func apply(_ facts: UploadedBlocks.Facts) {
        guard !facts.places.isEmpty else { return }
        uploaded = facts
        for index in 0..<count {
            switch facts.places[index] {
            case .unknown: break
            case .zero: fates[index] = .zero
            case .same: fates[index] = .same
            case .frame: fates[index] = .uploaded
            }
        }
    }

    /// Runs of neighbouring blocks with one of `wanted` fates, none longer than `limit`; indexes of the leaf.
    func runs(_ wanted: Set<Fate>, limit: Int = Limits.leafBlocks) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in 0..<count where wanted.contains(fates[index]) {
            if let last = runs.last, last.upperBound == index, last.count < limit {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    /// ``runs(_:limit:)`` as blocks of the volume.
    func blockRuns(_ wanted: Set<Fate>) -> [BlockRange] {
        runs(wanted).map { BlockRange(at: origin + BlockCount($0.lowerBound), count: BlockCount($0.count)) }
    }
}
