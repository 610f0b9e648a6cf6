internal import Blocks

extension Volume {
    /// Gives up every pending snapshot of the volume, so that the guest can go on (G7). Called by writers, with a
    /// stripe lock and a ticket held. False if there was none to give up.
    ///
    /// - Parameter spared: only those later than the last of these are given up.
    func giveUpPending(_ reason: String, above spared: Set<String> = []) -> Bool {
        giving.withLock { _ in
            let generation = admission.latest
            let pending = generation.cuts.filter(\.isPending)
            let first = pending.lastIndex { spared.contains($0.snapshot) }.map { $0 + 1 } ?? 0
            guard first < pending.count else { return false }
            return giveUpLocked(from: pending[first], generation, reason)
        }
    }

    /// Gives up `cut` and every later one: a later snapshot counts its changes from this one.
    func giveUp(from cut: Cut, _ reason: String) -> Bool {
        giving.withLock { _ in
            giveUpLocked(from: cut, admission.latest, reason)
        }
    }

    /// Order: the changes return to the newest map; the cut stops being sealed, durably; only then does it stop
    /// freezing. In place writes before the second step would, after a crash, be taken for the cut's content.
    /// Removing `cut.json` needs no disk space.
    ///
    /// Newest first: whatever stops this half way, no cut is left that counts its changes from one given up.
    /// The newest map is the published generation's: publishers hold `giving` while they swap.
    private func giveUpLocked(from cut: Cut, _ generation: Generation, _ reason: String) -> Bool {
        guard let first = generation.cuts.firstIndex(where: { $0 === cut }) else { return false }
        var isDone = false
        for cut in generation.cuts[first...].reversed() where cut.isPending {
            let end = BlockIndex(0) + BlockCount(covering: cut.size)
            do {
                try generation.dirty.insert(all: cut.delta, below: end)
                try environment.disk.remove(paths.cutRecord(cut.epoch))
                try environment.disk.syncDirectory(paths.cut(cut.epoch))
            } catch {
                break
            }
            Failpoint.hit("cut.givenup")
            cut.giveUp(reason)
            isDone = true
        }
        // A dead overlay is a layer to look through until it is settled.
        if isDone { startBackgroundWork() }
        return isDone
    }
}
