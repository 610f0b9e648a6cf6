internal import Blocks

/// How far a restore has come, shared by the threads that fill.
struct Filling: Sendable {
    /// What the source has in all, if it can say.
    let total: BlockCount?
    let end: BlockIndex
    private var position: BlockIndex = 0
    private var taken = BlockCount(0)
    var found = BlockCount(0)
    var lost = BlockCount(0)
    /// Something of the source is damaged: told at the end, it does not keep the rest from coming.
    var damage: BlockFailure?
    /// What ended it early.
    var failure: BlockFailure?

    init(total: BlockCount?, end: BlockIndex) {
        self.total = total
        self.end = end
    }

    /// What there is in all; not known, all that was not looked at yet is counted.
    var expected: BlockCount { total ?? taken + (max(position, end) - position) }

    /// What one turn of a filling thread brings: runs of data that lie close together, ascending.
    struct Piece {
        /// From the first run's start to the last one's end, at most.
        static let span = BlockCount(1024)
        /// A longer hole ends a piece.
        static let gap = BlockCount(32)
        var runs: [BlockRange] = []
        var count: BlockCount { runs.reduce(BlockCount(0)) { $0 + $1.count } }
    }

    /// How far to go on where the source cannot say what it has.
    private static let mapStep = 2048

    /// Takes the next piece that the source has data for; nil at the end.
    mutating func next(
        from source: any BlockSource, unless isStopping: () -> Bool
    ) throws(BlockFailure) -> Piece? {
        var piece = Piece()
        while position < end, !isStopping() {
            let run: BlockRange?
            do throws(BlockFailure) { run = try source.nextData(from: position) } catch {
                guard case .corrupt = error else { throw error }
                // First what was found before it; this comes again.
                if !piece.runs.isEmpty { break }
                damage = damage ?? error
                position = BlockIndex((position.number / Self.mapStep + 1) * Self.mapStep)
                continue
            }
            guard let run, run.start < end else {
                position = end
                break
            }
            let spanEnd = (piece.runs.first ?? run).start + Piece.span
            if let last = piece.runs.last, run.start - last.end > Piece.gap || run.start >= spanEnd { break }
            let part = BlockRange(from: run.start, to: min(run.end, end, spanEnd))
            piece.runs.append(part)
            position = part.end
        }
        taken += piece.count
        return piece.runs.isEmpty ? nil : piece
    }
}
