internal import Blocks
internal import Repository
internal import Simulation
internal import VolumeEngine

extension World {
    private static let cutsMax = 5

    /// Cuts volumes at one instant.
    func cut(_ all: [ModelDisk]) throws {
        let members = all.filter { $0.cuts.count < Self.cutsMax }.sorted { $0.name < $1.name }
        guard !members.isEmpty else { return }
        for disk in members { noteGivenUp(disk) }
        var planned: [ModelSnapshot] = []
        for disk in members {
            made += 1
            planned.append(
                ModelSnapshot(
                    id: "snap-\(made)", disk: disk.name, parent: disk.currentParent, image: disk.now, order: made))
        }
        for snapshot in planned { underWay.cuts[snapshot.disk] = snapshot }
        // For want of room a writer gives snapshots up, and then it may wait for a record of one to be written.
        flight?.straggler.mayWait(History.overlayBlocks(history.seed) != nil)
        defer { flight?.straggler.mayWait(true) }
        let views: [CutView]
        do {
            views = try Volume.cut(zip(members, planned).map { (volume: $0.live, snapshot: $1.id) })
        } catch {
            // A write that met the cut may have found no room in an overlay: then no member keeps its cut.
            if fate.down == nil, History.overlayBlocks(history.seed) != nil {
                for disk in members { noteGivenUp(disk) }
                return
            }
            throw error
        }
        for (disk, snapshot) in zip(members, planned) {
            record(snapshot, of: disk)
            flushed(disk)
        }
        underWay.cuts = [:]
        try fate.quietly { for view in views { try check(view) } }
    }

    /// Takes a cut into the model. A write that was in flight at some time during it may be in it or not.
    func record(_ snapshot: ModelSnapshot, of disk: ModelDisk) {
        var snapshot = snapshot
        // That write may also have given up, just before, what it would count from.
        noteGivenUp(disk)
        snapshot.parent = disk.currentParent
        if let flight, flight.straggler.disk == disk.name, flight.straggler.hasStarted {
            for unit in flight.range where unit < snapshot.image.numbers.count {
                snapshot.either[unit] = flight.number
            }
        }
        snapshots[snapshot.id] = snapshot
        disk.cuts.append(snapshot.id)
        see(disk)
    }

    /// Shows the sources of restored volumes where the pending snapshots of `disk` are.
    func see(_ disk: ModelDisk) {
        guard let volume = disk.volume else { return }
        for view in volume.pendingCuts {
            let snapshot = view.snapshot
            guard snapshots[snapshot]?.state == .pending else { continue }
            whereabouts.state.withLock { $0.views[snapshot] = view }
        }
    }

    /// The newest pending snapshots may be given up by the engine, for want of space, and only these. A write that is in
    /// flight may be first with a cut whose manifest was just written: that snapshot stays, and nothing counts from it.
    func noteGivenUp(_ disk: ModelDisk) {
        guard History.overlayBlocks(history.seed) != nil, let volume = disk.volume else { return }
        let found = Set(volume.pendingCuts.map(\.snapshot))
        while let last = disk.cuts.last, !found.contains(last) {
            if snapshots[last]?.state == .pending {
                forget(last, of: disk)
            } else if finished[last]?.givenUpReason != nil {
                disk.cuts.removeLast()
            } else {
                break
            }
            tally.givenUp += 1
        }
    }

    private func forget(_ snapshot: String, of disk: ModelDisk) {
        disk.cuts.removeAll { $0 == snapshot }
        snapshots[snapshot]?.state = .gone
        abandoned.insert(snapshot)
        whereabouts.state.withLock { $0.views[snapshot] = nil }
    }

    /// Uploads the oldest pending snapshot, as far as it goes.
    func upload(_ disk: ModelDisk, calls: Int) throws {
        noteGivenUp(disk)
        guard let snapshot = disk.cuts.first(where: { snapshots[$0]?.state == .pending }),
            let known = snapshots[snapshot],
            let view = disk.live.pendingCuts.first(where: { $0.snapshot == snapshot })
        else { return }
        // A child after its parent.
        if let parent = known.parent, snapshots[parent]?.state == .pending { return }
        try fate.quietly { try check(view) }
        snapshots[snapshot]?.tries += 1
        let faults = fate.faults
        let manifest: Manifest
        fate.limitStore(to: calls > 0 ? calls : nil)
        defer { fate.limitStore(to: nil) }
        do {
            let options = UploadOptions(memory: .mebibytes(64), workers: 1)
            manifest = try repository.writer(plan(known), content: CutContent(view), options: options).run()
        } catch {
            if fate.down != nil { throw error }
            noteGivenUp(disk)
            if snapshots[snapshot]?.state == .gone { return }
            guard fate.faults > faults else { throw Violation(.r3, "the upload of \(snapshot) failed: \(error)") }
            return
        }
        tally.uploads += 1
        try commit(view, of: disk, manifest)
    }

    private func plan(_ snapshot: ModelSnapshot) -> SnapshotPlan {
        SnapshotPlan(
            id: id(snapshot.id), volume: snapshot.disk, parent: snapshot.parent.map(id),
            created: WallTime(milliseconds: Int64(snapshot.order)))
    }

    private func commit(_ view: CutView, of disk: ModelDisk, _ manifest: Manifest) throws {
        let snapshot = view.snapshot
        snapshots[snapshot]?.state = .committed
        whereabouts.state.withLock { $0.views[snapshot] = nil }
        finished[snapshot] = view
        disk.live.finish(snapshot)
        noteGivenUp(disk)
        let marked = snapshots[snapshot]?.marked ?? 0
        guard manifest.changedBytes.bytes <= marked * 4096 else {
            throw Violation(.r2, "\(snapshot) stored \(manifest.changedBytes.bytes) bytes of \(marked) marked blocks")
        }
        // What a try that broke off has left in the store counts as well.
        guard
            snapshots[snapshot]?.tries != 1
                || manifest.storedBytes.bytes <= manifest.changedBytes.bytes * 115 / 100 + (32 << 10)
        else {
            throw Violation(
                .r2, "\(snapshot) took \(manifest.storedBytes.bytes) bytes for \(manifest.changedBytes.bytes)")
        }
        try fate.quietly { try checkRestore(snapshot, in: repository, .r3) }
    }

    func settle(_ disk: ModelDisk) throws {
        noteGivenUp(disk)
        try disk.live.settle()
        while let first = disk.cuts.first, snapshots[first]?.state != .pending {
            disk.parent = first
            disk.cuts.removeFirst()
        }
    }

    /// The newest pending snapshot, unless something builds on it.
    func cancel(_ disk: ModelDisk) throws {
        noteGivenUp(disk)
        guard let newest = disk.cuts.last, snapshots[newest]?.state == .pending, !isNeeded(newest, besides: disk)
        else { return }
        underWay.disk = disk
        let gone = disk.live.cancel(newest, reason: "the history says so")
        if gone != [newest] {
            if fate.down != nil { throw Refused() }
            // A write in flight may have been giving it up for want of space, and have been first.
            noteGivenUp(disk)
            guard gone.isEmpty, snapshots[newest]?.state == .gone else {
                throw Violation(.g4, "cancelling \(newest) gave up \(gone)")
            }
            return
        }
        forget(newest, of: disk)
    }

    /// Does another volume come from it or count from it, or a pending snapshot?
    private func isNeeded(_ snapshot: String, besides disk: ModelDisk?) -> Bool {
        disks.contains { $0 !== disk && ($0.parent == snapshot || $0.live.status.source == snapshot) }
            || snapshots.values.contains { $0.state == .pending && $0.parent == snapshot }
    }

    // MARK: Deleting and reclaiming

    /// Deletes a committed snapshot: re-bases who counts from it, then moves its manifest to the trash.
    func delete(_ snapshot: String) throws {
        guard let known = snapshots[snapshot] else { return }
        if snapshots.values.contains(where: { $0.state == .pending && $0.parent == snapshot }) { return }
        let isInUse = disks.contains { disk in
            disk.live.status.source == snapshot || disk.cuts.contains(snapshot)
                || disk.cuts.contains { snapshots[$0]?.parent == snapshot }
        }
        if isInUse { return }
        let faults = fate.faults
        do {
            for disk in disks where disk.parent == snapshot { try rebase(disk, known) }
            snapshots[snapshot]?.state = .deleting
            try repository.delete(id(snapshot))
            snapshots[snapshot]?.state = .gone
            tally.deletions += 1
        } catch {
            if fate.down != nil { throw error }
            guard fate.faults > faults else { throw Violation(.r1, "deleting \(snapshot) failed: \(error)") }
        }
    }

    private func rebase(_ disk: ModelDisk, _ old: ModelSnapshot) throws {
        let target = committed.last { [disk.name, old.disk].contains($0.disk) && $0.order < old.order }
        let changed = try target.map { try repository.diff(from: id($0.id), to: id(old.id)).ranges() }
        underWay.rebase = (disk.name, target?.id)
        let live = disk.live
        var next = 0
        try live.rebase(from: old.id, to: target?.id) { (block) throws(BlockFailure) in
            guard let changed else { return try live.nextAllocated(from: block) }
            while next < changed.count, changed[next].end <= block { next += 1 }
            return next < changed.count ? changed[next] : nil
        }
        underWay.rebase = nil
        disk.parent = target?.id
    }

    static let grace = Duration.seconds(3600)

    /// Finishes what deletions and cancellations left to do, then frees what nobody needs.
    func reclaim() throws {
        let faults = fate.faults
        do {
            for snapshot in snapshots.values where snapshot.state == .deleting {
                do { try repository.delete(id(snapshot.id)) } catch RepositoryFailure.missing(_) {}
                snapshots[snapshot.id]?.state = .gone
            }
            for snapshot in abandoned.sorted() {
                do { try repository.delete(id(snapshot)) } catch RepositoryFailure.missing(_) {}
                try repository.abandonUpload(id(snapshot))
                abandoned.remove(snapshot)
            }
            _ = try repository.reclaim(ReclaimPlan(grace: Self.grace))
            tally.reclaims += 1
        } catch {
            if fate.down != nil { throw error }
            guard fate.faults > faults else { throw Violation(.r6, "reclaim failed: \(error)") }
        }
        try fate.quietly { try checkStore(.r6) }
    }
}
