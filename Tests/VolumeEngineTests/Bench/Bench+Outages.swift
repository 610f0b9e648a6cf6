import Blocks
import Simulation
import Testing
import VolumeEngine

extension Bench {
    enum Outage: Equatable {
        case kill
        case powerLoss(seed: UInt64)

        var verdict: DiskVerdict.Outage {
            switch self {
            case .kill: .kill
            case .powerLoss(let seed): .powerLoss(seed: seed)
            }
        }
    }

    /// Opens the volume again after an outage, and checks that nothing promised is lost:
    /// after a kill every acknowledged write is there, after power loss everything flushed is, and every other unit has its
    /// old or a newer content; sealed cuts read as ever; what changed is marked. The step under way happened or did not.
    ///
    /// Then the model takes over what it found.
    func recover(from outage: Outage, _ place: SourceLocation = #_sourceLocation) throws {
        story.append("== \(outage) ==")
        volume = nil
        if outage != .kill { boot += 1 }
        try open()
        adoptSize(place)
        try adoptParent(place)
        try adoptContents(outage, place)
        adoptSnapshots(place)
        for index in pending.indices where pending[index].isFinished { live.finish(pending[index].snapshot) }
        underWay = nil
        underWayImage = nil
        underWayCapture = nil
        try check(place)
    }

    private func adoptSize(_ place: SourceLocation) {
        let count = live.size.bytes / unit
        if count == now.numbers.count { return }
        #expect(count == underWayImage?.numbers.count, "the size\n\(report)", sourceLocation: place)
        survivors += [[UInt32]](repeating: [0], count: max(0, count - now.numbers.count))
        now = now.resized(to: count)
    }

    /// A rollback or a re-base under way is wholly done or not begun: the parent tells which.
    private func adoptParent(_ place: SourceLocation) throws {
        let found = live.status.parent
        switch underWay {
        case .rollBack(let position, _) where pending.isEmpty && !committed.isEmpty:
            let target = committed[position % committed.count]
            guard found == target, let image = underWayImage else { return }
            // Was it the parent before, then only the content tells.
            let contents = try contents()
            if parent == target, contents != image.numbers.map(Optional.some) { return }
            parent = target
            now = image
            flushed()
        case .rebase:
            guard let old = parent, found != old, let position = committed.firstIndex(of: old) else { return }
            let older = position > 0 ? committed[position - 1] : nil
            if found == older, pending.isEmpty {
                parent = older
                committed.remove(at: position)
            }
        default: return
        }
    }

    private func adoptContents(_ outage: Outage, _ place: SourceLocation) throws {
        let found = try contents()
        var wrong: [String] = []
        let isRollback = if case .rollBack = underWay { true } else { false }
        for index in found.indices {
            var allowed = outage == .kill ? survivors[index].suffix(1) : survivors[index][...]
            if let image = underWayImage, !isRollback, index < image.numbers.count {
                allowed.append(image.numbers[index])
            }
            if let number = found[index], allowed.contains(number) {
                if outage != .kill {
                    survivors[index] = [number]
                } else if survivors[index].last != number {
                    survivors[index].append(number)
                }
                now.numbers[index] = number
            } else {
                wrong.append("unit \(index) is \(found[index].map(String.init) ?? "mixed"), not of \(Array(allowed))")
            }
        }
        if !wrong.isEmpty {
            Issue.record("\(wrong.count) lost: \(wrong.prefix(5))\n\(report)", sourceLocation: place)
            throw BenchFailure.lost
        }
    }

    private func adoptSnapshots(_ place: SourceLocation) {
        let found = live.pendingCuts.map(\.snapshot)
        switch underWay {
        case .settle, .rollBack:
            while let first = pending.first, first.isFinished, !found.contains(first.snapshot) {
                parent = first.snapshot
                pending.removeFirst()
            }
        case .cancelNewest:
            if let last = pending.last, !found.contains(last.snapshot) { pending.removeLast() }
        case .cut:
            let name = "snap-\(snapshots + 1)"
            if found.last == name {
                pending.append(Pending(snapshot: name, parent: currentParent))
                snapshots += 1
            }
        default: break
        }
        dropGivenUp()
        #expect(found == pending.map(\.snapshot), "pending snapshots\n\(report)", sourceLocation: place)
        guard let capture = underWayCapture else { return }
        for index in pending.indices where pending[index].snapshot == capture.snapshot {
            let packs = view(capture.snapshot)?.capturedPacks ?? []
            let blocks = packs.flatMap { $0.runs.flatMap { Array($0.start.number..<$0.end.number) } }
            pending[index].captured.formUnion(capture.blocks.intersection(blocks))
        }
    }

    /// Forgets the snapshots that the engine gave up: always the newest ones, because later ones count from earlier ones.
    func dropGivenUp() {
        guard mayGiveUp else { return }
        let found = live.pendingCuts.map(\.snapshot)
        while let last = pending.last, !last.isFinished, !found.contains(last.snapshot) { pending.removeLast() }
    }

    /// Everything comes to its end: all snapshots are stored and settled, all blocks fetched, the volume reopened.
    func finishEverything() throws {
        while pending.contains(where: { !$0.isFinished }) { try run(.finishOldest) }
        try run(.settle)
        try run(.hydrate)
        try check()
        try run(.reopen(newBoot: true))
        try check()
    }
}
