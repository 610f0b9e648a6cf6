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

    /// How far a restore has come, shared by the threads that fill.
    private struct Filling: Sendable {
        var position: BlockIndex = 0
        var found = BlockCount(0)
        var lost = BlockCount(0)
        /// Something of the source is damaged: told at the end, it does not keep the rest from coming.
        var damage: BlockFailure?
        /// What ended it early.
        var failure: BlockFailure?
    }

    /// Several threads take the next piece each until none is left: decoding what the store has is most of the work. They do
    /// what any guest that reads may do at the same time, so it needs no more care than that: ``fetchAll(_:from:)`` looks
    /// again under the stripe lock what is still absent. One is enough where the system has no thread to spare.
    private func fill(from hydration: Hydration) throws(BlockFailure) -> Bool {
        let filling = Guarded(Filling())
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
        do throws(BlockFailure) {
            while !isStopping(hydration) {
                let next = try filling.withLock { (state) throws(BlockFailure) in
                    state.failure == nil ? try nextPiece(of: hydration, &state) : nil
                }
                guard let piece = next else { return }
                var lost = BlockCount(0)
                var damage: BlockFailure?
                try fillAround(piece, from: hydration, &lost, &damage)
                filling.withLock { state in
                    state.found += piece.count
                    state.lost += lost
                    state.damage = state.damage ?? damage
                    // Under both locks, so that what is shown never falls.
                    let (done, all) = ((state.found - state.lost).size, state.found.size)
                    hydration.progress.withLock { progress in
                        progress.hydrated = done
                        progress.found = max(progress.found, all)
                    }
                }
            }
        } catch {
            filling.withLock { $0.failure = $0.failure ?? error }
        }
    }

    /// Takes the next piece that the source has data for; nil at the end.
    private func nextPiece(of hydration: Hydration, _ state: inout Filling) throws(BlockFailure) -> BlockRange? {
        while state.position < hydration.end, !isStopping(hydration) {
            let run: BlockRange?
            do throws(BlockFailure) { run = try hydration.source.nextData(from: state.position) } catch {
                guard case .corrupt = error else { throw error }
                state.damage = state.damage ?? error
                state.position = BlockIndex((state.position.number / Self.mapStep + 1) * Self.mapStep)
                continue
            }
            guard let run, run.start < hydration.end else { break }
            let piece = BlockRange(from: run.start, to: min(run.end, hydration.end, run.start + Self.fetchLimit))
            state.position = piece.end
            return piece
        }
        state.position = hydration.end
        return nil
    }
    /// How far to go on where the source cannot say what it has.
    private static let mapStep = 2048

    /// Fills in halves what cannot be filled at once, down to the blocks that are lost.
    private func fillAround(
        _ piece: BlockRange, from hydration: Hydration, _ lost: inout BlockCount, _ failure: inout BlockFailure?
    ) throws(BlockFailure) {
        do throws(BlockFailure) { try fillAbsent(piece, from: hydration) } catch {
            guard case .corrupt = error else { throw error }
            failure = failure ?? error
            guard piece.count.count > 1 else {
                lost += piece.count
                return
            }
            let middle = piece.start + BlockCount(piece.count.count / 2)
            try fillAround(BlockRange(from: piece.start, to: middle), from: hydration, &lost, &failure)
            try fillAround(BlockRange(from: middle, to: piece.end), from: hydration, &lost, &failure)
        }
    }

    private func isStopping(_ hydration: Hydration) -> Bool {
        hydration.progress.withLock { $0.mustStop } || background.withLock { $0.mustStop }
    }

    /// Fetches the part of `piece` between its first and its last absent block.
    private func fillAbsent(_ piece: BlockRange, from hydration: Hydration) throws(BlockFailure) {
        var first: BlockIndex?
        var last = piece.start
        let ticket = admission.enter()
        let generation = admission.generation(ticket)
        var block = piece.start
        while block < piece.end {
            if !hydration.isKnownPresent(block) {
                locks.lock(block)
                if hydration.isAbsent(block, in: generation.home) {
                    first = first ?? block
                    last = block
                }
                locks.unlock(block)
            }
            block = block + 1
        }
        admission.leave(ticket)
        if let first { try fetchAll(BlockRange(from: first, to: last + 1), from: hydration) }
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
