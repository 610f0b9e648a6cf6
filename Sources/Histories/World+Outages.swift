internal import Blocks
internal import Simulation
internal import VolumeEngine

extension World {
    /// Starts a new process after the old one died, once more if that dies too, and checks that nothing promised is lost.
    /// The step under way happened or did not. Then the model takes over what it found.
    func recover(from outage: Fate.Outage) throws {
        _ = flight?.straggler.land()
        tally.note(outage)
        var worst = outage
        var again = outage.again
        for disk in disks { disk.volume = nil }
        while true {
            if worst.powerLoss != nil || boot == 0 { boot += 1 }
            var next: Fate.Outage?
            if again > 0 {
                next = Fate.Outage(powerLoss: outage.powerLoss.map { $0 &+ 1 }, at: again, moment: .before, again: 0)
            }
            fate.revive(again: next)
            do {
                try removeHalfMade()
                try openAll()
            } catch {
                guard let down = fate.down else { throw Violation(.disk, "a volume cannot be opened: \(error)") }
                tally.note(down)
                again = 0
                if down.powerLoss != nil { worst = down }
                for disk in disks { disk.volume = nil }
                continue
            }
            fate.disarm()
            if let down = fate.down {
                tally.note(down)
                again = 0
                if down.powerLoss != nil { worst = down }
                for disk in disks { disk.volume = nil }
                continue
            }
            break
        }
        for disk in disks { try adopt(disk, isKill: worst.powerLoss == nil) }
        flight = nil
        underWay = UnderWay()
        for disk in disks { see(disk) }
        try tellEngine()
        try check()
    }

    /// A volume that was being made or removed: nobody was told of it.
    private func removeHalfMade() throws {
        guard let name = underWay.clone else { return }
        try Volume.destroy(at: "/volumes/" + name, in: environment)
    }

    private func adopt(_ disk: ModelDisk, isKill: Bool) throws {
        adoptSize(disk)
        try adoptParent(disk)
        try adoptContents(disk, isKill: isKill)
        try adoptCuts(disk)
    }

    private func adoptSize(_ disk: ModelDisk) {
        let count = disk.live.size.bytes / Self.unit
        if count != disk.sectors, underWay.disk === disk, count == underWay.image?.numbers.count {
            disk.resize(to: count)
        }
    }

    /// A roll back or a re-base under way is wholly done or not begun: the parent tells which.
    private func adoptParent(_ disk: ModelDisk) throws {
        let parent = disk.live.status.parent
        if let rebase = underWay.rebase, rebase.disk == disk.name, parent == rebase.parent, disk.cuts.isEmpty {
            disk.parent = rebase.parent
        }
        guard underWay.disk === disk, let target = underWay.rollBack, let image = underWay.image, parent == target
        else { return }
        let found = try fate.quietly { try contents(disk) }
        // Was it the parent before, then only the content tells.
        if disk.currentParent == target, found != image.numbers.map(Optional.some) { return }
        disk.cuts = []
        disk.parent = target
        disk.replace(image)
    }

    private func adoptContents(_ disk: ModelDisk, isKill: Bool) throws {
        let found = try fate.quietly { try contents(disk) }
        guard found.count == disk.sectors else {
            throw Violation(.disk, "\(disk.name) has \(found.count) sectors, not \(disk.sectors)")
        }
        for unit in found.indices {
            var allowed = isKill ? Array(disk.survivors[unit].suffix(1)) : disk.survivors[unit]
            var unheard: [UInt32] = []
            if underWay.disk === disk, underWay.rollBack == nil, let image = underWay.image,
                unit < image.numbers.count
            {
                unheard.append(image.numbers[unit])
            }
            let isCrossed = flight.map { $0.straggler.disk == disk.name && $0.range.contains(unit) } ?? false
            if isCrossed, let flight { unheard += [flight.number, disk.now.numbers[unit]] }
            allowed += unheard
            guard let number = found[unit], allowed.contains(number) else {
                let law: Law = isKill ? .g1 : disk.survivors[unit].count == 1 ? .g2 : .g3
                throw Violation(law, "sector \(unit) of \(disk.name) is \(Self.text(found[unit])), not of \(allowed)")
            }
            if !isKill {
                disk.survivors[unit] = [number]
            } else if isCrossed {
                // Two writes met here: the one that lost is below the other, and may come up again with power loss.
                disk.survivors[unit] += unheard + [number]
            } else if disk.survivors[unit].last != number {
                disk.survivors[unit].append(number)
            }
            disk.now.numbers[unit] = number
        }
    }

    private func adoptCuts(_ disk: ModelDisk) throws {
        let found = disk.live.pendingCuts.map(\.snapshot)
        let known = Set(found)
        while let first = disk.cuts.first, snapshots[first]?.state != .pending, !known.contains(first) {
            // Settled: now, or by a step that was done. Unless the write in flight was giving it up.
            let isGivenUp = isWriting(to: disk) && known.isEmpty && disk.live.status.parent == disk.parent
            if !isGivenUp { disk.parent = first }
            disk.cuts.removeFirst()
        }
        if let cut = underWay.cuts[disk.name], known.contains(cut.id), !disk.cuts.contains(cut.id) {
            record(cut, of: disk)
        }
        if case .cancel = underWay.step, underWay.disk === disk, let last = disk.cuts.last, !known.contains(last) {
            giveUp(last, disk)
        }
        noteGivenUp(disk)
        guard found == disk.cuts else {
            throw Violation(.g4, "the pending snapshots of \(disk.name) are \(found), not \(disk.cuts)")
        }
    }

    /// Was a write that may give up cuts in flight?
    private func isWriting(to disk: ModelDisk) -> Bool {
        History.overlayBlocks(history.seed) != nil && flight?.straggler.disk == disk.name
    }

    private func giveUp(_ snapshot: String, _ disk: ModelDisk) {
        disk.cuts.removeAll { $0 == snapshot }
        snapshots[snapshot]?.state = .gone
        abandoned.insert(snapshot)
    }
}
