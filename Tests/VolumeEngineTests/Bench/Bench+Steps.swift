import Blocks
import Simulation
import Testing
import VolumeEngine

extension Bench {
    /// Does a step and keeps the model up to date. Throws what the volume throws, with the step still under way.
    func run(_ step: BenchStep) throws {
        if hasFailed { throw BenchFailure.lost }
        story.append("\(step)")
        underWay = step
        underWayImage = now
        switch step {
        case .write(let unit, let count, let durably): try write(unit, count, durably: durably)
        case .zero(let unit, let count, let mayPunch, let durably):
            underWayImage = now.filled(unit, count, 0)
            try live.zero(bytes(unit, count), mayPunch: mayPunch, durably: durably)
            wrote(unit, count, 0, durably: durably)
            if durably { flushed() }
        case .trim(let unit, let count): try trim(unit, count)
        case .flush:
            try live.flush()
            flushed()
        case .cut: try cut()
        case .capture(let position, let part, let of): try capture(position, part, of)
        case .finishOldest: try finishOldest()
        case .cancelNewest: try cancelNewest()
        case .settle: try settle()
        case .hydrate:
            let isDone = try live.hydrate()
            #expect(isDone)
        case .read(let unit, let count): try read(unit, count)
        case .rollBack(let snapshot, let inPlace): try rollBack(snapshot, inPlace: inPlace)
        case .rebase: try rebase()
        case .grow(let units): try grow(units)
        case .reopen(let newBoot): try reopen(newBoot: newBoot)
        }
        underWay = nil
        underWayImage = nil
    }

    private func write(_ unit: Int, _ count: Int, durably: Bool) throws {
        guard unit + count <= now.numbers.count else { return }  // a grow before was refused
        written += 1
        underWayImage = now.filled(unit, count, written)
        let data = Stamps.bytes(written, at: unit, count: count, unit: self.unit)
        let range = bytes(unit, count)
        try data.readBytes { (span) throws(BlockFailure) in try live.write(range, from: span, durably: durably) }
        wrote(unit, count, written, durably: durably)
    }

    private func wrote(_ unit: Int, _ count: Int, _ number: UInt32, durably: Bool) {
        for index in unit..<unit + count {
            now.numbers[index] = number
            survivors[index] = durably ? [number] : survivors[index] + [number]
        }
    }

    func flushed() { survivors = now.numbers.map { [$0] } }

    /// A trim leaves zeros or the old bytes, so the model looks which.
    private func trim(_ unit: Int, _ count: Int) throws {
        underWayImage = now.filled(unit, count, 0)
        try live.trim(bytes(unit, count), durably: false)
        let found = try contents()
        for index in unit..<unit + count {
            guard let number = found[index], number == 0 || number == now.numbers[index] else {
                Issue.record("a trim left unit \(index) as \(String(describing: found[index]))")
                continue
            }
            if number != now.numbers[index] { survivors[index].append(number) }
            now.numbers[index] = number
        }
    }

    private func cut() throws {
        guard pending.count < 5 else { return }
        let name = "snap-\(snapshots + 1)"
        images[name] = now
        let view = try live.cut(for: name)
        snapshots += 1
        #expect(view.parent == currentParent)
        pending.append(Pending(snapshot: name, parent: currentParent))
        flushed()
    }

    func view(_ snapshot: String) -> CutView? { live.pendingCuts.first { $0.snapshot == snapshot } }

    private func capture(_ position: Int, _ part: Int, _ of: Int) throws {
        let open = pending.indices.filter { !pending[$0].isFinished }
        guard !open.isEmpty else { return }
        try captureAt(open[position % open.count], part, of)
    }

    private func captureAt(_ index: Int, _ part: Int, _ of: Int) throws {
        let snapshot = pending[index].snapshot
        guard let view = view(snapshot) else { throw BenchFailure.missing(snapshot) }
        try check(view, pending[index])
        let blocks = try changed(view).subtracting(pending[index].captured).filter { $0 % of == part }.sorted()
        guard !blocks.isEmpty else { return }
        underWayCapture = (snapshot, Set(blocks))
        try view.captured(
            pack: view.capturedPacks.count, runs: blocks.map { BlockRange(at: BlockIndex($0), count: 1) })
        underWayCapture = nil
        pending[index].captured.formUnion(blocks)
    }

    private func finishOldest() throws {
        guard let index = pending.firstIndex(where: { !$0.isFinished }) else { return }
        try captureAt(index, 0, 1)
        guard let view = view(pending[index].snapshot) else { throw BenchFailure.missing(pending[index].snapshot) }
        #expect(view.isWhollyCaptured)
        live.finish(pending[index].snapshot)
        pending[index].isFinished = true
        if !committed.contains(pending[index].snapshot) { committed.append(pending[index].snapshot) }
    }

    private func cancelNewest() throws {
        guard let newest = pending.last, !newest.isFinished else { return }
        let gone = live.cancel(newest.snapshot, reason: "test")
        if gone.isEmpty { throw BenchFailure.refused }
        #expect(gone == [newest.snapshot])
        pending.removeLast()
    }

    private func settle() throws {
        try live.settle()
        while let first = pending.first, first.isFinished {
            parent = first.snapshot
            pending.removeFirst()
        }
    }

    private func read(_ unit: Int, _ count: Int) throws {
        var found = [UInt8](repeating: 0xee, count: count * self.unit)
        try found.writeBytes { (span) throws(BlockFailure) in try live.read(bytes(unit, count), into: &span) }
        let wanted = now.numbers[unit..<unit + count].map(Optional.some)
        #expect(Stamps.decode(found, at: unit, unit: self.unit) == wanted)
    }

    private func rollBack(_ position: Int, inPlace: Bool) throws {
        guard pending.isEmpty, !committed.isEmpty else { return }
        let name = committed[position % committed.count]
        guard let image = images[name] else { throw BenchFailure.missing(name) }
        let source = image.resized(to: min(image.numbers.count, now.numbers.count))
        underWayImage = source.resized(to: now.numbers.count)
        var changed: [BlockRange]?
        if inPlace {
            let known = parent.flatMap { images[$0] }
            let blocks = try changedBlocks().union(image.differences(from: known))
            changed = blocks.sorted().map { BlockRange(at: BlockIndex($0), count: 1) }
        }
        try live.rollBack(to: name, source: StampedSource(source), changed: changed)
        now = source.resized(to: now.numbers.count)
        flushed()
        parent = name
    }

    private func rebase() throws {
        guard pending.isEmpty, let old = parent, let position = committed.firstIndex(of: old) else { return }
        if live.status.source == old { return }
        let older = position > 0 ? committed[position - 1] : nil
        let changed = images[old]?.differences(from: older.flatMap { images[$0] }) ?? []
        try live.rebase(from: old, to: older) { block in
            changed.first { $0 >= block.number }.map { BlockRange(at: BlockIndex($0), count: 1) }
        }
        parent = older
        committed.remove(at: position)
    }

    private func grow(_ units: Int) throws {
        guard now.numbers.count + units * (512 / min(512, unit)) < 2000 else { return }
        let count = now.numbers.count + units * max(1, 512 / unit)
        underWayImage = now.resized(to: count)
        try live.grow(to: ByteCount(count * unit))
        survivors += [[UInt32]](repeating: [0], count: count - now.numbers.count)
        now = now.resized(to: count)
    }

    private func reopen(newBoot: Bool) throws {
        try live.close()
        flushed()
        volume = nil
        if newBoot { boot += 1 }
        try open()
        for index in pending.indices where pending[index].isFinished {
            live.finish(pending[index].snapshot)
        }
    }
}

enum BenchFailure: Error {
    case missing(String)
    /// The volume would not do it, and nothing says why (an outage came first).
    case refused
    /// What was promised is not there.
    case lost
}

extension Stamps {
    func filled(_ unit: Int, _ count: Int, _ number: UInt32) -> Stamps {
        var copy = self
        for index in unit..<unit + count { copy.numbers[index] = number }
        return copy
    }
}
