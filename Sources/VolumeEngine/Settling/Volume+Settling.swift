internal import Blocks

extension Volume {
    /// Cuts that are pending, oldest first.
    public var pendingCuts: [CutView] {
        let generation = control.withLock { $0.generation }
        return generation.cuts.filter(\.isPending).map { CutView(self, $0) }
    }

    /// The manifest of `snapshot` exists: its cut freezes nothing more, and its overlay can settle. Harmless to repeat,
    /// also for a snapshot that is long settled.
    ///
    /// A writer may have given the cut up since its last block was read. The snapshot is whole all the same, but the
    /// volume counts its changes from the one before: a cut is either committed or given up, whichever comes first.
    public func finish(_ snapshot: String) {
        let cuts = control.withLock { $0.generation.cuts }
        guard let cut = cuts.first(where: { $0.snapshot == snapshot }) else { return }
        let isCommitted = giving.withLock { _ in
            if !cut.isGivenUp { cut.commit() }
            return cut.isCommitted
        }
        if isCommitted { startBackgroundWork() }
    }

    /// Gives up `snapshot` and every later pending one; their changes count as changes since the parent again.
    /// - Returns: the snapshots given up.
    public func cancel(_ snapshot: String, reason: String) -> [String] {
        let cuts = control.withLock { $0.generation.cuts }
        guard let first = cuts.firstIndex(where: { $0.snapshot == snapshot && $0.isPending }) else { return [] }
        let pending = cuts[first...].filter(\.isPending)
        guard giveUp(from: cuts[first], reason) else { return [] }
        startBackgroundWork()
        return pending.filter(\.isGivenUp).map(\.snapshot)
    }

    /// Settles every cut that is done, oldest first. Blocks; call from a background thread or a test.
    public func settle() throws(VolumeFailure) {
        try settling.withLock { (_) throws(VolumeFailure) in
            while let oldest = control.withLock({ $0.generation.cuts.first }), !oldest.isPending {
                try settle(oldest)
            }
        }
    }

    /// Moves the oldest cut's overlay into home.
    ///
    /// 1. Chunk by chunk under the stripe lock: copy to home and mark mirrored. From then on writes of these blocks go
    ///    to both files, so home never falls behind. Nobody needs home's old version: this cut is done, later cuts
    ///    read this overlay's version, and home is that version now.
    /// 2. Sync home.
    /// 3. Record the cut as settled, durably. A crash before this: the overlay is still the truth, and whole. After:
    ///    home is.
    /// 4. Publish a generation without the cut, and drain. Only now do writes go to home alone.
    /// 5. Remove the files. Power loss may bring them back; the record says that they are dead.
    private func settle(_ cut: Cut) throws(VolumeFailure) {
        try VolumeFailure.block("settling") { () throws(BlockFailure) in
            // A writer may have found a block frozen just before the cut was done, and be adding it still. It does both
            // under one hold of the stripe lock, and after this nobody decides so again: `present` is static.
            locks.passAll()
            try mirror(cut)
            Failpoint.hit("settle.copied")
            let home = control.withLock { $0.generation.home }
            try failing { () throws(BlockFailure) in try home.sync() }
        }
        Failpoint.hit("settle.synced")
        let old = try control.withLock { (control) throws(VolumeFailure) in
            guard control.generation.cuts.first === cut else { preconditionFailure("only the oldest cut settles") }
            try change(&control) { record in
                record.settledEpoch = cut.epoch
                if cut.isCommitted { record.parent = cut.snapshot }
            }
            Failpoint.hit("settle.recorded")
            let next = control.generation.replacing(
                cuts: Array(control.generation.cuts.dropFirst()), hydration: control.generation.hydration)
            publishLocked(next, &control)
            return cut.epoch
        }
        removeCut(old)
        Failpoint.hit("settle.removed")
    }

    /// Publishes and drains. The control lock is held.
    func publishLocked(_ next: Generation, _ control: inout Control) {
        giving.withLock { _ in admission.swap(to: next) }
        control.generation = next
        admission.drain()
    }

    private func mirror(_ cut: Cut) throws(BlockFailure) {
        let end = BlockIndex(0) + BlockCount(covering: size)
        var buffer = AlignedBuffer(count: StripeLocks.chunk.size.bytes)
        var position: BlockIndex = 0
        while let run = cut.overlay.present.nextRun(from: position, below: end) {
            let chunkEnd = Self.chunkEnd(run.start)
            try mirrorChunk(cut, from: run.start, to: chunkEnd, &buffer)
            position = chunkEnd
        }
    }

    private func mirrorChunk(
        _ cut: Cut, from start: BlockIndex, to end: BlockIndex, _ buffer: inout AlignedBuffer
    ) throws(BlockFailure) {
        // The ticket before the stripe lock, and never the control lock: a cut holding that drains us.
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        let generation = admission.generation(ticket)
        locks.lock(start)
        defer { locks.unlock(start) }
        var position = start
        while let run = cut.overlay.present.nextRun(from: position, below: end) {
            let count = run.count.size.bytes
            try buffer.write(0..<count) { (all) throws(BlockFailure) in
                try cut.overlay.file.read(at: run.start.offset, into: &all)
            }
            try buffer.read(0..<count) { (all) throws(BlockFailure) in
                try generation.home.write(all, at: run.start.offset, durably: false)
            }
            generation.hydration?.markPresent(run)
            try cut.mirrored.insert(run)
            position = run.end
        }
    }

    /// Removes what is left of a settled cut. Failure is harmless: opening tries again.
    func removeCut(_ epoch: Int) {
        try? environment.disk.removeTree(paths.cut(epoch))
        try? environment.disk.remove(paths.map(epoch))
    }
}
