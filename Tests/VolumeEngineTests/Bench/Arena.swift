import Blocks
import Simulation
import VolumeEngine

/// A volume under several writer threads and one that takes, uploads and ends snapshots as fast as it can.
final class Arena: Sendable {
    static let blocks = 72, sectors = blocks * 8
    let lanes: [Lane]
    let source: Stamps
    let volume: Volume
    let mustStop = Guarded(false)
    struct Taken: Sendable {
        var snapshot: String
        var parent: String?
        /// Per lane: acknowledged before the cut was asked for, issued when it was done.
        var low: [Int]
        var high: [Int]
        var image: [UInt32?]?
        var captured: Set<Int> = []
    }
    struct State: Sendable {
        var pending: [Taken] = []
        var images: [String: [UInt32?]] = [:]
        var underWay: Taken?
        var ended: [String] = []
        var problems: [String] = []
        var cuts = 0
        /// What ended the play early: an outage.
        var failure: String?
    }
    let state = Guarded(State())

    init(_ volume: Volume, source: Stamps) {
        self.volume = volume
        self.source = source
        // Blocks 0 ..< 12 are shared by three lanes, sector by sector; three own whole blocks of 16 ..< 64; the rest is
        // never written.
        let shared = (0..<3).map { lane in
            Lane(lane + 1, sectors: (0..<12 * 8).filter { $0 % 3 == lane }, writesBlocks: false)
        }
        let owners = (0..<2).map { lane in
            Lane(lane + 4, sectors: (16 * 8..<64 * 8).filter { $0 / 8 % 2 == lane }, writesBlocks: true)
        }
        lanes = shared + owners
        state.withLock { $0.images["snap-source"] = source.numbers.map { $0 } }
    }

    func counts(_ path: any KeyPath<Lane.State, Int> & Sendable) -> [Int] {
        lanes.map { lane in lane.state.withLock { $0[keyPath: path] } }
    }
    func issued() -> [Int] { lanes.map { lane in lane.state.withLock { $0.issued.count } } }

    /// Runs until `cuts` snapshots were taken or the volume fails.
    func run(cuts: Int, seed: UInt64) {
        let threads = lanes.map { lane in
            OSThread(name: "lane") {
                lane.run(on: self.volume, seed: seed &+ UInt64(lane.number)) { self.mustStop.withLock { $0 } }
            }
        }
        var random = SeededRandom(seed: seed)
        do {
            for _ in 0..<cuts {
                try cut()
                let pending = state.withLock { $0.pending.count }
                for _ in 0..<random.below(4) { try capture(random.below(max(1, pending)), &random) }
                if pending > random.below(4) { random.oneIn(6) ? cancelNewest() : try finishOldest(&random) }
            }
        } catch {
            let text = "\(error)"
            state.withLock { $0.failure = text }
        }
        mustStop.withLock { $0 = true }
        for thread in threads { thread.join() }
    }

    private func report(_ problem: String) { state.withLock { $0.problems.append(problem) } }

    // MARK: Snapshots

    func cut() throws {
        let (name, parent) = state.withLock { state -> (String, String?) in
            state.cuts += 1
            return ("snap-\(state.cuts)", state.pending.last?.snapshot ?? state.ended.last)
        }
        var taken = Taken(snapshot: name, parent: parent, low: counts(\.acknowledged), high: [])
        let before = taken
        state.withLock { $0.underWay = before }
        let view = try volume.cut(for: name)
        taken.high = issued()
        taken.parent = view.parent
        let done = taken
        state.withLock { state in
            state.pending.append(done)
            state.underWay = nil
        }
        try look(at: view)
    }

    /// Reads a pending snapshot: what is not captured yet is read, what was is remembered, what did not change is the parent's.
    func look(at view: CutView) throws {
        let (taken, images) = state.withLock { state in
            (state.pending.first { $0.snapshot == view.snapshot }, state.images)
        }
        guard let taken else { return report("\(view.snapshot) is pending, and nobody took it") }
        var image = taken.parent.flatMap { images[$0] } ?? [UInt32?](repeating: 0, count: Self.sectors)
        let captured = Set(view.capturedPacks.flatMap { $0.runs.flatMap { Array($0.start.number..<$0.end.number) } })
        var position: BlockIndex = 0
        while let run = try view.nextChange(from: position) {
            position = run.end
            for block in run.start.number..<run.end.number {
                let place = block * 8..<block * 8 + 8
                if captured.contains(block) {
                    if let known = taken.image { image.replaceSubrange(place, with: known[place]) }
                    continue
                }
                var bytes = [UInt8](repeating: 0xee, count: 4096)
                try bytes.writeBytes { (span) throws(BlockFailure) in
                    try view.read(BlockRange(at: BlockIndex(block), count: 1), into: &span)
                }
                image.replaceSubrange(place, with: Stamps.decode(bytes, at: place.lowerBound, unit: 512))
            }
        }
        judge(image, taken, captured)
    }

    private func judge(_ image: [UInt32?], _ taken: Taken, _ captured: Set<Int>) {
        if let known = taken.image {
            let other = image.indices.filter { image[$0] != known[$0] }
            if !other.isEmpty {
                report("\(taken.snapshot) changed in sectors \(other.prefix(9)) since it was first read")
            }
        } else if captured.isEmpty {
            for (index, lane) in lanes.enumerated() {
                let fault = lane.fault(
                    in: image, from: source.numbers, low: taken.low[index], high: taken.high[index], isPrefix: true)
                if let fault { report("\(taken.snapshot): \(fault)") }
            }
            if image[(64 * 8)...] != source.numbers.map(Optional.some)[(64 * 8)...] {
                report("\(taken.snapshot): what nobody wrote is not the source's")
            }
        }
        state.withLock { state in
            guard let index = state.pending.firstIndex(where: { $0.snapshot == taken.snapshot }) else { return }
            state.pending[index].image = image
            state.images[taken.snapshot] = image
        }
    }

    private func capture(_ position: Int, _ random: inout SeededRandom) throws {
        let pending = state.withLock { $0.pending }
        guard !pending.isEmpty else { return }
        let taken = pending[position % pending.count]
        guard let view = volume.pendingCuts.first(where: { $0.snapshot == taken.snapshot }) else { return }
        try look(at: view)
        let part = random.below(3)
        try record(view) { $0 % 3 == part }
    }

    private func record(_ view: CutView, _ wanted: (Int) -> Bool) throws {
        let known = state.withLock { state in state.pending.first { $0.snapshot == view.snapshot }?.captured ?? [] }
        var blocks: [Int] = [], position: BlockIndex = 0
        while let run = try view.nextChange(from: position) {
            blocks += (run.start.number..<run.end.number).filter { wanted($0) && !known.contains($0) }
            position = run.end
        }
        guard !blocks.isEmpty else { return }
        try view.captured(pack: view.capturedPacks.count, runs: blocks.map { BlockRange(at: BlockIndex($0), count: 1) })
        let done = blocks
        state.withLock { state in
            guard let index = state.pending.firstIndex(where: { $0.snapshot == view.snapshot }) else { return }
            state.pending[index].captured.formUnion(done)
        }
    }

    func finishOldest(_ random: inout SeededRandom) throws {
        guard let oldest = state.withLock({ $0.pending.first }),
            let view = volume.pendingCuts.first(where: { $0.snapshot == oldest.snapshot })
        else { return }
        try look(at: view)
        try record(view) { _ in true }
        volume.finish(oldest.snapshot)
        state.withLock { state in
            state.pending.removeFirst()
            state.ended.append(oldest.snapshot)
        }
        if random.oneIn(3) { try volume.settle() }
    }

    private func cancelNewest() {
        guard let newest = state.withLock({ $0.pending.last }) else { return }
        let gone = volume.cancel(newest.snapshot, reason: "test")
        if gone == [newest.snapshot] { state.withLock { _ = $0.pending.removeLast() } }
    }
}
