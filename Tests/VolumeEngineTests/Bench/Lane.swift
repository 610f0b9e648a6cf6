import Blocks
import Simulation
import VolumeEngine

/// One writer thread and its own sectors, and what it knows: which of its writes it has issued, which were acknowledged,
/// which a later flush covers. The stamp of its n-th write is `lane * 2^24 + n`.
final class Lane: Sendable {
    let number: Int
    private let sectors: [Int]
    /// Whole blocks, or single sectors of blocks that other lanes write too?
    private let writesBlocks: Bool
    struct State: Sendable {
        /// The sectors of each write, in order.
        var issued: [Range<Int>] = []
        var acknowledged = 0
        var flushed = 0
        var problem: String?
    }
    let state = Guarded(State())

    init(_ number: Int, sectors: [Int], writesBlocks: Bool) {
        self.number = number
        self.sectors = sectors
        self.writesBlocks = writesBlocks
    }

    func stamp(_ write: Int) -> UInt32 { UInt32(number << 24 | write) }

    /// Writes until `volume` fails or `mustStop`.
    func run(on volume: Volume, seed: UInt64, mustStop: @Sendable () -> Bool) {
        var random = SeededRandom(seed: seed)
        while !mustStop() {
            let sector = sectors[random.below(sectors.count)]
            let range = writesBlocks ? sector / 8 * 8..<sector / 8 * 8 + 8 : sector..<sector + 1
            do { try write(range, to: volume, durably: random.oneIn(8)) } catch { return }
            if random.oneIn(20), (try? flush(volume)) == nil { return }
        }
    }

    func write(_ range: Range<Int>, to volume: Volume, durably: Bool) throws(BlockFailure) {
        let write = state.withLock { state -> Int in
            state.issued.append(range)
            return state.issued.count
        }
        let bytes = Stamps.bytes(stamp(write), at: range.lowerBound, count: range.count, unit: 512)
        let place = ByteRange(at: ByteOffset(range.lowerBound * 512), count: ByteCount(bytes.count))
        try bytes.readBytes { (span) throws(BlockFailure) in try volume.write(place, from: span, durably: durably) }
        state.withLock { $0.acknowledged = write }
    }

    /// What was acknowledged before a flush was called survives once it returns.
    func flush(_ volume: Volume) throws(BlockFailure) {
        let covered = state.withLock { $0.acknowledged }
        try volume.flush()
        state.withLock { $0.flushed = max($0.flushed, covered) }
    }

    /// What a content must show of this lane: everything up to write `low`, nothing after write `high`; with `isPrefix`, also
    /// everything before the newest write that it shows. Returns what is wrong.
    func fault(in found: [UInt32?], from source: [UInt32], low: Int, high: Int, isPrefix: Bool) -> String? {
        // Copied, not shared: the thread sanitizer does not see that giving up shared storage comes before an append in place.
        let issued = state.withLock { $0.issued.map { $0 } }
        var writes: [Int: [Int]] = [:]
        for (index, range) in issued.enumerated() {
            for sector in range { writes[sector, default: []].append(index + 1) }
        }
        var newest = 0
        for sector in sectors {
            guard let stamp = found[sector] else { return "sector \(sector) is mixed" }
            if Int(stamp >> 24) == number { newest = max(newest, Int(stamp & 0xff_ffff)) }
        }
        let floor = isPrefix ? max(low, newest) : low
        for sector in sectors {
            let all = writes[sector] ?? []
            let needed = all.last { $0 <= floor } ?? 0
            let stamp = found[sector] ?? 0
            if needed == 0, stamp == source[sector] { continue }
            let write = Int(stamp & 0xff_ffff)
            let isMine = Int(stamp >> 24) == number && all.contains(write)
            if !isMine || write < needed || write > high {
                return
                    "lane \(number) sector \(sector) shows \(stamp >> 24):\(write), wanted \(needed)...\(high) (low \(low))"
            }
        }
        return nil
    }
}
