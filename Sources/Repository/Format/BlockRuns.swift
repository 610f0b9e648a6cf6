internal import Blocks

/// Runs of blocks, ascending, as `count { gap blocks }`.
enum BlockRuns {
    static func write(_ runs: [BlockRange], to writer: inout ByteWriter, origin: Int = 0) {
        writer.number(runs.count)
        var end = origin
        for run in runs {
            precondition(run.start.number >= end && run.count.count > 0)
            writer.number(run.start.number - end)
            writer.number(run.count.count)
            end = run.end.number
        }
    }

    /// Runs that lie within `limits`.
    static func read(from reader: inout ByteReader, within limits: BlockRange) throws(FormatFailure) -> [BlockRange] {
        var runs: [BlockRange] = []
        var end = limits.start.number
        for _ in 0..<(try reader.count(each: 2, limit: .max, "runs")) {
            let gap = try reader.number(in: 0...limits.count.count, "a gap")
            let count = try reader.number(in: 1...max(1, limits.count.count), "a run's length")
            guard end + gap + count <= limits.end.number else { throw FormatFailure("a run too far") }
            runs.append(BlockRange(at: BlockIndex(end + gap), count: BlockCount(count)))
            end += gap + count
        }
        return runs
    }

    /// Joins runs that touch; `runs` ascend and do not overlap.
    static func joined(_ runs: [BlockRange]) -> [BlockRange] {
        var result: [BlockRange] = []
        for run in runs {
            if let last = result.last, last.end == run.start {
                result[result.count - 1].count += run.count
            } else {
                result.append(run)
            }
        }
        return result
    }
}
