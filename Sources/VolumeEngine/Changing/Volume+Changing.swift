public import Blocks

extension Volume {
    /// Makes the volume larger. What is new reads as zeros.
    public func grow(to newSize: ByteCount) throws(VolumeFailure) {
        precondition(newSize <= Self.maximumSize && newSize.isMultiple(of: Sector.size))
        try control.withLock { (control) throws(VolumeFailure) in
            try checkOpen(control)
            guard newSize.bytes > control.record.size else {
                throw .wrongState("the volume has \(control.record.size) bytes; \(newSize.bytes) is not more")
            }
            let generation = control.generation
            let whole = BlockCount(covering: newSize).size
            try VolumeFailure.block("growing a volume") { () throws(BlockFailure) in
                try generation.home.resize(to: whole)
                for cut in generation.cuts { try cut.overlay.file.resize(to: whole) }
                try generation.home.sync()
                // "Everything" reaches to the size at the next cut: what that cut will claim must be frozen by it.
                if control.record.isEverythingDirty {
                    try generation.dirty.insertEverything(below: BlockIndex(0) + BlockCount(covering: newSize))
                }
            }
            try change(&control) { $0.size = newSize.bytes }
            setSize(newSize)
        }
    }

    /// Counts changes from `parent` from now on, because the snapshot that they were counted from is to be deleted.
    ///
    /// - Parameter changed: gives, run by run, what differs between `parent` and the old one (nil: no more). All of it
    ///   counts as changed. The marks come before the record: a crash between leaves too many, never too few (G6).
    public func rebase(
        from old: String, to parent: String?, changed: (BlockIndex) throws(BlockFailure) -> BlockRange?
    ) throws(VolumeFailure) {
        try control.withLock { (control) throws(VolumeFailure) in
            try checkOpen(control)
            // Settling makes a committed cut the parent, and giving one up brings its parent back.
            if control.generation.cuts.contains(where: { !$0.isGivenUp && ($0.snapshot == old || $0.parent == old) }) {
                throw .wrongState("a snapshot that counts its changes from \(old) is not settled")
            }
            guard control.record.parent == old else { return }
            let end = BlockIndex(0) + BlockCount(covering: size)
            try VolumeFailure.block("re-basing a volume") { () throws(BlockFailure) in
                var position: BlockIndex = 0
                while position < end, let run = try changed(position)?.intersection(BlockRange(from: 0, to: end)) {
                    try control.generation.dirty.insert(run)
                    position = run.end
                }
            }
            Failpoint.hit("rebase.marked")
            try change(&control) { $0.parent = parent }
        }
    }

    /// Makes the volume's content that of `snapshot`. Nobody uses the volume meanwhile, and no cut is pending.
    ///
    /// 1. With a list of what differs: record it, then the intent (from here only forward), then punch. Without one, or
    ///    when it is long: make a new, empty home beside the old one.
    /// 2. One replacement of the record makes the snapshot the source and parent, and the maps so far dead.
    /// 3. Publish. Only what differs is fetched, when it is read or in the background.
    ///
    /// - Parameter changed: every run that may differ between `snapshot` and the volume's parent snapshot, or nil if
    ///   that is not known. What has changed since the parent is added here.
    public func rollBack(
        to snapshot: String, source: any BlockSource, changed: [BlockRange]?
    ) throws(VolumeFailure) {
        try settle()
        let oldHome = try control.withLock { (control) throws(VolumeFailure) in
            try checkOpen(control)
            guard control.generation.cuts.isEmpty else {
                throw .wrongState("snapshots of the volume are pending: \(control.generation.cuts.map(\.snapshot))")
            }
            guard source.size <= size else {
                throw .wrongState("\(snapshot) has \(source.size.bytes) bytes, more than the volume's \(size.bytes)")
            }
            // A block of the old source that is on its way must not arrive after its place was punched.
            control.generation.hydration?.withdraw()
            locks.passAll()
            let old = control.record.home
            do throws(VolumeFailure) {
                if let runs = punchList(changed, source, control.generation) {
                    try rollBackInPlace(to: snapshot, source, runs, &control)
                } else {
                    try rollBackToNewHome(snapshot, source, &control)
                }
            } catch {
                // Whether the record got through is not known: only opening it anew tells.
                note(.failed)
                throw error
            }
            return control.record.home == old ? nil : old
        }
        if let oldHome { try? SegmentedFile.remove(paths.home(oldHome), on: environment.disk) }
        startBackgroundWork()
    }

    private struct NewHome {
        var file: any DiskFile
        var name: String
        var inode: UInt64
    }

    private func checkOpen(_ control: borrowing Control) throws(VolumeFailure) {
        if control.isClosed { throw .wrongState("the volume is closed") }
        if isFailed { throw .wrongState("the volume failed and must be opened anew") }
    }

    /// Beyond this many runs a fresh home is quicker than punching.
    private static let punchLimit = 20_000

    /// Everything that must become absent: what differs between the snapshots, what has changed since, and what lies
    /// past the snapshot's end. Nil if that is not known or too much.
    private func punchList(
        _ changed: [BlockRange]?, _ source: any BlockSource, _ generation: Generation
    ) -> [BlockRange]? {
        guard var runs = changed else { return nil }
        let end = BlockIndex(0) + BlockCount(covering: size)
        let sourceEnd = BlockIndex(0) + BlockCount(covering: source.size)
        if sourceEnd < end { runs.append(BlockRange(from: sourceEnd, to: end)) }
        var position: BlockIndex = 0
        while runs.count <= Self.punchLimit, let run = generation.dirty.nextRun(from: position, below: end) {
            runs.append(run)
            position = run.end
        }
        return runs.count <= Self.punchLimit ? runs : nil
    }

    private func rollBackInPlace(
        to snapshot: String, _ source: any BlockSource, _ runs: [BlockRange], _ control: inout Control
    ) throws(VolumeFailure) {
        try Rollback.record(runs, paths, on: environment.disk)
        Failpoint.hit("rollback.listed")
        try change(&control) { $0.rollback = snapshot }
        Failpoint.hit("rollback.intended")
        try Rollback.punch(paths, control.generation.home, size: size, on: environment.disk)
        try completeRollback(to: snapshot, source, newHome: nil, &control)
    }

    private func rollBackToNewHome(
        _ snapshot: String, _ source: any BlockSource, _ control: inout Control
    ) throws(VolumeFailure) {
        let name = "home-\(control.generation.epoch + 1).img"
        let path = paths.home(name)
        let disk = environment.disk
        let home = try VolumeFailure.disk { () throws(DiskFailure) in
            try SegmentedFile.remove(path, on: disk)
            return try SegmentedFile.open(path, .createNew, on: disk)
        }
        try VolumeFailure.block("making \(path)") { () throws(BlockFailure) in
            try home.resize(to: BlockCount(covering: size).size)
            try home.sync()
        }
        let facts = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.syncDirectory(paths.directory)
            return try disk.facts(path)
        }
        let newHome = NewHome(file: home, name: name, inode: facts?.inode ?? 0)
        try completeRollback(to: snapshot, source, newHome: newHome, &control)
    }

    private func completeRollback(
        to snapshot: String, _ source: any BlockSource, newHome: NewHome?, _ control: inout Control
    ) throws(VolumeFailure) {
        let epoch = control.generation.epoch + 1
        let dirty = try EpochMap.create(epoch, paths, on: environment.disk)
        try VolumeFailure.disk { () throws(DiskFailure) in try environment.disk.syncDirectory(paths.maps) }
        let newest = control.generation.epoch
        try change(&control) { record in
            Rollback.complete(&record, to: snapshot, newest: newest)
            if let newHome {
                record.home = newHome.name
                record.homeInode = newHome.inode
            }
        }
        Failpoint.hit("rollback.recorded")
        let hydration = Hydration(snapshot: snapshot, source: source, size: size, isHomeEmpty: newHome != nil)
        let next = Generation(
            epoch: epoch, dirty: dirty, home: newHome?.file ?? control.generation.home, cuts: [], hydration: hydration,
            startsEpoch: false)
        let old = control.generation.epoch
        publishLocked(next, &control)
        removeCut(old)
    }
}
