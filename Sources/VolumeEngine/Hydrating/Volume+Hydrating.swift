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

    /// What the source lost does not keep the rest from coming: it is passed over, and told at the end.
    private func fill(from hydration: Hydration) throws(BlockFailure) -> Bool {
        var position: BlockIndex = 0
        var found = BlockCount(0)
        var lost = BlockCount(0)
        var failure: BlockFailure?
        while position < hydration.end {
            let next: BlockRange?
            do throws(BlockFailure) { next = try hydration.source.nextData(from: position) } catch {
                guard case .corrupt = error else { throw error }
                failure = failure ?? error
                if isStopping(hydration) { return false }
                position = BlockIndex((position.number / Self.mapStep + 1) * Self.mapStep)
                continue
            }
            guard let run = next else { break }
            let end = min(run.end, hydration.end)
            var block = run.start
            while block < end {
                if isStopping(hydration) { return false }
                let piece = BlockRange(from: block, to: min(end, block + Self.fetchLimit))
                try fillAround(piece, from: hydration, &lost, &failure)
                block = piece.end
                found += piece.count
                let (done, all) = ((found - lost).size, found.size)
                hydration.progress.withLock { progress in
                    progress.hydrated = done
                    progress.found = max(progress.found, all)
                }
            }
            position = end
        }
        if isStopping(hydration) { return false }
        if let failure { throw failure }
        return true
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
