internal import Blocks

/// Where a block's current version is, and where a write of it must go.
///
/// A block is *frozen* when a pending cut has it in its map, has not captured it and was not given up, and no overlay
/// of that cut or a later one holds it: its version in the layers below is the one the snapshot must read.
/// Until the previous epoch has drained, a map may still gain bits from writers that will retry in the new epoch; an
/// in-place write of such a block now and a late bit afterwards would put the new bytes into the snapshot. So until
/// then every block that the newest overlay does not hold counts as frozen.
enum Placement: Equatable {
    case home
    /// Not here yet: comes from the source.
    case absent
    /// In the overlay of the cut with this position in the generation.
    case overlay(Int)
    /// Frozen: the next write goes whole into the newest overlay.
    case frozen
}

extension Generation {
    /// Where a write of `block` goes. Call with the block's stripe lock held.
    func placementForWrite(_ block: BlockIndex) -> Placement {
        let holder = holder(of: block, below: cuts.count)
        if !cuts.isEmpty, holder != cuts.count - 1 {
            if !isDrained { return .frozen }
            let above = (holder ?? -1) + 1
            for position in above..<cuts.count where cuts[position].freezes(block) { return .frozen }
        }
        if let holder { return .overlay(holder) }
        if let hydration, hydration.isAbsent(block, in: home) { return .absent }
        return .home
    }

    /// Notes with each cut that still needs the version of `block` below it that a writer had to go around that. Stripe
    /// lock held, before the write: afterwards the newest overlay hides who was in the way.
    func noteRedirect(of block: BlockIndex) {
        let above = (holder(of: block, below: cuts.count) ?? -1) + 1
        for cut in cuts[above...] where cut.freezes(block) { cut.hot.note(block) }
    }

    /// Where to read `block` as it is under the first `layers` cuts: all of them for the live volume, those older than
    /// a cut for that cut's version. `isLocked`: is the block's stripe lock held already?
    func placementForRead(_ block: BlockIndex, layers: Int, locks: StripeLocks) -> Placement {
        if let holder = holder(of: block, below: layers) { return .overlay(holder) }
        guard let hydration, !hydration.isKnownPresent(block) else { return .home }
        locks.lock(block)
        defer { locks.unlock(block) }
        return hydration.isAbsent(block, in: home) ? .absent : .home
    }

    /// May a request on `blocks` go to home without any lock? True when no cut's map or overlay has one of them and
    /// none is absent; all of that can only become more true while the generation lives.
    func isInPlace(_ blocks: BlockRange) -> Bool {
        guard isDrained else { return false }
        for cut in cuts {
            if cut.delta.nextRun(from: blocks.start, below: blocks.end) != nil { return false }
            if cut.overlay.present.nextRun(from: blocks.start, below: blocks.end) != nil { return false }
        }
        return hydration?.isSeenPresent(blocks) ?? true
    }

    /// Is `block` in no overlay and absent from home? Stripe lock held.
    func isMissing(_ block: BlockIndex) -> Bool {
        guard let hydration, holder(of: block, below: cuts.count) == nil else { return false }
        return hydration.isAbsent(block, in: home)
    }

    /// How many layers of overlays lie under `cut`'s version: those of older cuts. Nil: the cut is settled and gone.
    func layers(under cut: Cut?) -> Int? {
        guard let cut else { return cuts.count }
        return cuts.firstIndex { $0 === cut }
    }

    /// The topmost of the first `layers` overlays that holds `block`.
    private func holder(of block: BlockIndex, below layers: Int) -> Int? {
        var position = layers - 1
        while position >= 0 {
            if cuts[position].overlay.present.contains(block) { return position }
            position -= 1
        }
        return nil
    }
}
