internal import Blocks

extension Volume {
    /// Fills in everything that is absent, then lets the source go. Blocks; call from a background thread or a test.
    ///
    /// - Returns: false if it was told to stop.
    /// - Throws: what the source or the disk said; calling again goes on where it stopped.
    public func hydrate() throws(VolumeFailure) -> Bool {
        guard let hydration = control.withLock({ $0.generation.hydration }) else { return true }
        let isFilled = try VolumeFailure.block("restoring from \(hydration.snapshot)") { () throws(BlockFailure) in
            try fill(from: hydration)
        }
        guard isFilled else { return false }
        try release(hydration)
        return true
    }

    /// Several threads take the next piece each until none is left: decoding what the store has is most of the work. They do
    /// what any guest that reads may do at the same time, so it needs no more care than that: ``fetchAll(_:from:through:)``
    /// looks again under the stripe lock what is still absent. One is enough where the system has no thread to spare.
    private func fill(from hydration: Hydration) throws(BlockFailure) -> Bool {
        let began = environment.clock.uptime()
        hydration.progress.withLock { $0.began = began }
        let total = hydration.source.dataSize.map { BlockCount(covering: $0) }
        let filling = Guarded(Filling(total: total, end: hydration.end))
        let others = (1..<max(1, environment.hydrationThreads)).compactMap { _ in
            OSThread.ifPossible(name: "hydrate") { self.fillPieces(from: hydration, filling) }
        }
        fillPieces(from: hydration, filling)
        for thread in others { thread.join() }
        let end = filling.withLock { $0 }
        // Told to stop, each thread may have failed for that alone: the source was withdrawn.
        if isStopping(hydration) { return false }
        if let failure = end.failure { throw failure }
        if let damage = end.damage { throw damage }
        return true
    }

    private func fillPieces(from hydration: Hydration, _ filling: Guarded<Filling>) {
        var buffer = AlignedBuffer(count: Filling.Piece.span.size.bytes)
        do throws(BlockFailure) {
            while !isStopping(hydration) {
                let next = try filling.withLock { (state) throws(BlockFailure) in
                    state.failure == nil ? try state.next(from: hydration.source) { isStopping(hydration) } : nil
                }
                guard let piece = next else { return }
                var lost = BlockCount(0)
                var damage: BlockFailure?
                try fillAround(piece.runs, from: hydration, through: &buffer, &lost, &damage)
                filling.withLock { state in
                    state.found += piece.count
                    state.lost += lost
                    state.damage = state.damage ?? damage
                    // Under both locks, so that what is shown never falls.
                    let (done, all) = ((state.found - state.lost).size, state.expected.size)
                    hydration.progress.withLock { progress in
                        progress.hydrated = done
                        progress.total = max(done, all)
                    }
                }
            }
        } catch {
            filling.withLock { $0.failure = $0.failure ?? error }
        }
    }

    /// Fills one by one, and then in halves, what cannot be filled at once, down to the blocks that are lost.
    private func fillAround(
        _ runs: [BlockRange], from hydration: Hydration, through buffer: inout AlignedBuffer, _ lost: inout BlockCount,
        _ failure: inout BlockFailure?
    ) throws(BlockFailure) {
        do throws(BlockFailure) { try fillAbsent(runs, from: hydration, through: &buffer) } catch {
            guard case .corrupt = error else { throw error }
            failure = failure ?? error
            let parts = runs.count > 1 ? runs : runs.flatMap(Self.halves)
            guard parts.count > 1 else {
                lost += parts.reduce(BlockCount(0)) { $0 + $1.count }
                return
            }
            for part in parts { try fillAround([part], from: hydration, through: &buffer, &lost, &failure) }
        }
    }

    private static func halves(of run: BlockRange) -> [BlockRange] {
        guard run.count.count > 1 else { return [run] }
        let middle = run.start + BlockCount(run.count.count / 2)
        return [BlockRange(from: run.start, to: middle), BlockRange(from: middle, to: run.end)]
    }

    private func isStopping(_ hydration: Hydration) -> Bool {
        hydration.progress.withLock { $0.mustStop } || background.withLock { $0.mustStop }
    }

    /// Fetches what is absent of `runs`.
    private func fillAbsent(
        _ runs: [BlockRange], from hydration: Hydration, through buffer: inout AlignedBuffer
    ) throws(BlockFailure) {
        var absent: [BlockRange] = []
        let ticket = admission.enter()
        let home = admission.generation(ticket).home
        for run in runs {
            for chunk in Chunks(run) where !hydration.isKnownPresent(chunk) {
                noteAbsent(chunk, of: home, hydration, &absent)
            }
        }
        admission.leave(ticket)
        try fetchAll(absent, from: hydration, through: &buffer)
    }

    private func noteAbsent(
        _ chunk: BlockRange, of home: any DiskFile, _ hydration: Hydration, _ absent: inout [BlockRange]
    ) {
        locks.lock(chunk.start)
        defer { locks.unlock(chunk.start) }
        var rest = chunk
        while let run = hydration.nextAbsent(in: rest, of: home) {
            if let last = absent.last, last.end == run.start {
                absent[absent.count - 1] = BlockRange(from: last.start, to: run.end)
            } else {
                absent.append(run)
            }
            rest = BlockRange(from: run.end, to: chunk.end)
        }
    }

    /// Every block that the source has data for is in home. Home becomes durable before the record forgets the source;
    /// only then do requests stop asking what is absent.
    private func release(_ hydration: Hydration) throws(VolumeFailure) {
        let home = control.withLock { $0.generation.home }
        try VolumeFailure.block("syncing a restored volume") { () throws(BlockFailure) in
            try failing { () throws(BlockFailure) in try home.sync() }
        }
        Failpoint.hit("hydrate.synced")
        try control.withLock { (control) throws(VolumeFailure) in
            guard control.generation.hydration === hydration else { return }
            try change(&control) { $0.source = nil }
            Failpoint.hit("hydrate.recorded")
            // A zero block is a hole, and counted as absent: someone may be about to write its zeros.
            hydration.release()
            locks.passAll()
            publishLocked(control.generation.replacing(hydration: nil), &control)
        }
    }
}
