internal import Blocks
internal import Synchronization

extension Volume {
    /// Most cuts that one volume may have pending: each is a layer to look through.
    public static let pendingLimit = 32

    /// Fixes the volume's content for `snapshot` at one instant, and returns once that is durable.
    ///
    /// Every write acknowledged before the call is in, every write admitted after it returns is out (G4). Writers are
    /// not waited for and do not wait (G5).
    public func cut(for snapshot: String) throws(VolumeFailure) -> CutView {
        guard let view = try Self.cut([(self, snapshot)]).first else { preconditionFailure("one member, one cut") }
        return view
    }

    /// Cuts several volumes at one instant: if a write to one was acknowledged before a write to another was issued,
    /// the second is in only if the first is. Give the volumes in the same order everywhere (by id).
    ///
    /// 1. For each: make the new epoch's map and the cut's folder. Undo: remove them.
    /// 2. Close admission on all, swap the generation of each, reopen as each is swapped: the cut.
    /// 3. Drain all. For each: sync, write `cut.json`: sealed. Undo: give the cut up; it settles like any other.
    /// A crash before `cut.json` leaves an unsealed cut, which opening gives up.
    public static func cut(_ members: [(volume: Volume, snapshot: String)]) throws(VolumeFailure) -> [CutView] {
        precondition(Set(members.map { ObjectIdentifier($0.volume) }).count == members.count, "a member twice")
        return try lockAll(members[...], [])
    }

    /// Takes the control lock of each member in turn, then cuts.
    private static func lockAll(
        _ rest: ArraySlice<(volume: Volume, snapshot: String)>, _ prepared: [PreparedCut]
    ) throws(VolumeFailure) -> [CutView] {
        guard let (volume, snapshot) = rest.first else {
            publish(prepared)
            // All of them before any is sealed, which takes a sync each: parts of blocks wait for this.
            for member in prepared { member.volume.drainCut(member) }
            return []
        }
        return try volume.control.withLock { (control) throws(VolumeFailure) in
            let mine = try volume.prepareCut(for: snapshot, control)
            var later: [CutView] = []
            var failure: VolumeFailure?
            do throws(VolumeFailure) { later = try lockAll(rest.dropFirst(), prepared + [mine]) } catch {
                failure = error
            }
            guard mine.isPublished.withLock({ $0 }) else {
                volume.abandonCut(mine.cut.epoch)
                throw failure ?? .wrongState("a group cut ended before it began")
            }
            control.generation = mine.next
            do throws(VolumeFailure) {
                if let failure { throw failure }
                try volume.seal(mine, &control)
            } catch {
                // One member failed after the instant: no member keeps its cut.
                for view in later { _ = view.volume.giveUp(from: view.cut, "another member of the group failed") }
                _ = volume.giveUp(from: mine.cut, "the cut could not be made durable: \(error)")
                throw error
            }
            return [CutView(volume, mine.cut)] + later
        }
    }

    /// A cut that is ready to be published.
    final class PreparedCut: Sendable {
        let volume: Volume
        let cut: Cut
        let next: Generation
        let record: VolumeRecord
        let isPublished = Guarded(false)
        init(_ volume: Volume, _ cut: Cut, _ next: Generation, _ record: VolumeRecord) {
            self.record = record
            self.volume = volume
            self.cut = cut
            self.next = next
        }
    }

    private func prepareCut(for snapshot: String, _ control: Control) throws(VolumeFailure) -> PreparedCut {
        do throws(VolumeFailure) { return try makeCut(for: snapshot, control) } catch {
            abandonCut(control.generation.epoch)
            throw error
        }
    }

    private func makeCut(for snapshot: String, _ control: Control) throws(VolumeFailure) -> PreparedCut {
        if control.isClosed { throw .wrongState("the volume is closed") }
        if isFailed { throw .wrongState("the volume failed: a sync to its disk did not succeed") }
        let now = control.generation
        guard now.cuts.count < Self.pendingLimit else {
            throw .wrongState("\(now.cuts.count) snapshots of the volume are pending, which is the limit")
        }
        if now.cuts.contains(where: { $0.snapshot == snapshot }) {
            throw .wrongState("the volume has a pending cut for \(snapshot) already")
        }
        let disk = environment.disk
        let paths = self.paths
        let dirty = try EpochMap.create(now.epoch + 1, paths, on: disk)
        // Giving the cut up on a full disk returns its changes to this map: the space must be there then.
        try VolumeFailure.block("reserving space for a map") { () throws(BlockFailure) in
            try dirty.reserve(for: now.dirty)
        }
        let (overlay, log) = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.removeTree(paths.cut(now.epoch))
            try disk.makeDirectory(paths.cut(now.epoch))
            let overlay = try SegmentedFile.open(paths.overlay(now.epoch), .createNew, on: disk)
            let log = try CapturedLog.create(paths.capturedLog(now.epoch), on: disk)
            // Names before use: a flush of the overlay must not be lost with its directory entry.
            try disk.syncDirectory(paths.cut(now.epoch))
            try disk.syncDirectory(paths.cuts)
            try disk.syncDirectory(paths.maps)
            return (overlay, log)
        }
        try VolumeFailure.block("making an overlay") { () throws(BlockFailure) in
            try overlay.resize(to: BlockCount(covering: size).size)
        }
        let cut = Cut(
            epoch: now.epoch, snapshot: snapshot, parent: nil, size: size,
            delta: now.dirty, captured: BlockBitmap(), overlay: Overlay(overlay, present: BlockBitmap(), blocks: 0),
            log: log, isEverythingDirty: control.record.isEverythingDirty)
        let next = Generation(
            epoch: now.epoch + 1, dirty: dirty, home: now.home, cuts: now.cuts + [cut], hydration: now.hydration,
            startsEpoch: true)
        Failpoint.hit("cut.prepared")
        return PreparedCut(self, cut, next, control.record)
    }

    /// The instant. Between the first close and the last swap no writer of any member is admitted, so no write can be
    /// admitted to the new epoch of one member before an earlier write has been shut out of the old epoch of another.
    /// A cut of one volume needs no closing: its swap is one store.
    private static func publish(_ prepared: [PreparedCut]) {
        let begun = Machine.nanoseconds()
        defer {
            let time = Duration.nanoseconds(Machine.nanoseconds() - begun)
            for member in prepared { member.volume.cutTally.withLock { $0.add(time) } }
        }
        holdGiving(prepared[...]) {
            if prepared.count > 1 { for member in prepared { member.volume.admission.close() } }
            for member in prepared { member.volume.admission.swap(to: member.next) }
            for member in prepared { member.isPublished.withLock { $0 = true } }
        }
    }

    /// Takes the lock `giving` of each member before admission closes on any: a writer that gives up holds it for a
    /// while. Under it each cut learns what it counts from, since a cut before it may have been given up just now.
    private static func holdGiving(_ rest: ArraySlice<PreparedCut>, _ body: () -> Void) {
        guard let member = rest.first else { return body() }
        member.volume.giving.withLock { _ in
            member.cut.count(from: Self.parent(member.volume.admission.latest, member.record))
            holdGiving(rest.dropFirst(), body)
        }
    }

    /// After the swap: waits for the old epoch's writers. From here on its map is static.
    private func drainCut(_ prepared: PreparedCut) {
        admission.drainWriters()
        prepared.next.isPreviousEpochDrained.store(true, ordering: .sequentiallyConsistent)
        admission.drain()
        Failpoint.hit("cut.drained")
    }

    /// Makes the old epoch's content durable, then the record that says so.
    private func seal(_ prepared: PreparedCut, _ control: inout Control) throws(VolumeFailure) {
        let cut = prepared.cut
        try VolumeFailure.block("syncing a cut") { () throws(BlockFailure) in
            try flush()
            try cut.delta.sync()
        }
        Failpoint.hit("cut.synced")
        // A writer may have given the cut up already, for want of space: whoever comes second sees the other.
        try giving.withLock { (_) throws(VolumeFailure) in
            if let reason = cut.givenUpReason { throw .wrongState("the snapshot was given up: \(reason)") }
            try sealRecord(cut)
        }
        Failpoint.hit("cut.sealed")
        if control.record.isEverythingDirty { try change(&control) { $0.isEverythingDirty = false } }
    }

    private func sealRecord(_ cut: Cut) throws(VolumeFailure) {
        let disk = environment.disk
        let path = paths.overlay(cut.epoch)
        let facts = try VolumeFailure.disk { () throws(DiskFailure) in try disk.facts(path) }
        let record = CutRecord(
            epoch: cut.epoch, snapshot: cut.snapshot, parent: cut.parent, size: cut.size.bytes,
            time: environment.clock.now().milliseconds, isEverythingDirty: cut.isEverythingDirty,
            overlayInode: facts?.inode ?? 0)
        try RecordFile.write(record, to: paths.cutRecord(cut.epoch), on: disk)
    }

    /// Undoes ``prepareCut``: it failed, or another member's did.
    private func abandonCut(_ epoch: Int) {
        let (map, folder) = (paths.map(epoch + 1), paths.cut(epoch))
        // Left-overs are harmless: opening takes an empty newer map as the current one.
        try? environment.disk.remove(map)
        try? environment.disk.removeTree(folder)
    }
}
