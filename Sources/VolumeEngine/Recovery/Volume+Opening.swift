public import Blocks

extension Volume {
    /// Opens a volume, whatever state it was left in.
    ///
    /// 1. Read the record. A copied directory is refused where extents are the map; an unfinished rollback is finished.
    /// 2. Was the page cache lost (another boot or mount, not clean)? Then the newest epoch's map means nothing:
    ///    everything counts as changed (G6).
    /// 3. Sealed cuts go on as pending. Unsealed ones, and those given up, return their changes to the newest map and
    ///    stay as layers until settled. Settled ones are removed.
    /// 4. Record this boot, not clean; only then serve.
    ///
    /// - Parameter source: the content of the snapshot named by ``sourceOfVolume(at:in:)``; needed if that is not nil.
    public static func open(
        at directory: String, in environment: VolumeEnvironment, source: (any BlockSource)? = nil
    ) throws(VolumeFailure) -> Volume {
        let opening = try Opening(directory, environment)
        return try opening.finish(source)
    }

    /// Syncs everything, records a clean stop, and refuses requests from then on. Callers have stopped sending any.
    public func close() throws(VolumeFailure) {
        stopBackgroundWork()
        try control.withLock { (control) throws(VolumeFailure) in
            if control.isClosed { return }
            control.isClosed = true
            let generation = control.generation
            guard !isFailed else { return }
            // Whatever happens below, a request after this must not slip in behind a record that says "clean".
            defer { note(.failed) }
            try VolumeFailure.block("closing a volume") { () throws(BlockFailure) in
                try flush()
                try generation.dirty.sync()
            }
            try change(&control) { $0.isClean = true }
        }
    }
}

/// The steps of opening a volume, and what they have found so far.
private struct Opening {
    let environment: VolumeEnvironment
    let paths: VolumePaths
    var record: VolumeRecord
    let home: any DiskFile
    let lostCache: Bool

    private var disk: any Disk { environment.disk }
    private var size: ByteCount { ByteCount(record.size) }
    private var end: BlockIndex { BlockIndex(0) + BlockCount(covering: size) }

    init(_ directory: String, _ environment: VolumeEnvironment) throws(VolumeFailure) {
        self.environment = environment
        let paths = VolumePaths(directory: directory)
        self.paths = paths
        let disk = environment.disk
        record = try Self.readRecord(paths, disk)
        // After a kill this record may be only in the page cache: what follows from it must not outlive it.
        try VolumeFailure.disk { () throws(DiskFailure) in try disk.syncDirectory(directory) }
        let homePath = paths.home(record.home)
        let (facts, home) = try VolumeFailure.disk { () throws(DiskFailure) in
            (try disk.facts(homePath), try SegmentedFile.open(homePath, .readWrite, on: disk))
        }
        self.home = home
        let isCopied = facts?.inode != record.homeInode
        if isCopied, record.source != nil || record.rollback != nil { throw .copied(path: homePath) }
        let isSameCache = facts?.device == record.device && environment.bootID == record.bootID && !isCopied
        lostCache = !isSameCache && !record.isClean || isCopied
        let size = BlockCount(covering: ByteCount(record.size)).size
        try VolumeFailure.block("opening \(homePath)") { () throws(BlockFailure) in
            if try home.size() < size { try home.resize(to: size) }
        }
        record.homeInode = facts?.inode ?? 0
        record.device = facts?.device ?? 0
        record.bootID = environment.bootID
    }

    private static func readRecord(_ paths: VolumePaths, _ disk: any Disk) throws(VolumeFailure) -> VolumeRecord {
        let record = try RecordFile.read(VolumeRecord.self, from: paths.record, on: disk)
        guard record.format == VolumeRecord.knownFormat else {
            throw .newerFormat(path: paths.record, found: record.format, known: VolumeRecord.knownFormat)
        }
        guard record.size > 0, record.size <= Volume.maximumSize.bytes, record.size % Sector.size.bytes == 0,
            !record.home.contains("/"), VolumePaths.epochLimits.contains(record.firstEpoch),
            VolumePaths.epochLimits.contains(record.settledEpoch)
        else { throw .corrupt(path: paths.record, reason: "a value is out of its range") }
        return record
    }

    func finish(_ source: (any BlockSource)?) throws(VolumeFailure) -> Volume {
        var opening = self
        return try opening.run(source)
    }

    private mutating func run(_ source: (any BlockSource)?) throws(VolumeFailure) -> Volume {
        try finishRollback()
        let (epoch, dirty) = try openMaps()
        let cuts = try openCuts(below: epoch, returningTo: dirty)
        if lostCache { record.isEverythingDirty = true }
        if record.isEverythingDirty {
            try VolumeFailure.block("opening a volume") { () throws(BlockFailure) in
                try dirty.insertEverything(below: end)
            }
        }
        let hydration = try openSource(source)
        record.isClean = false
        try RecordFile.write(record, to: paths.record, on: disk)
        removeOldHomes()
        let generation = Generation(
            epoch: epoch, dirty: dirty, home: home, cuts: cuts, hydration: hydration, startsEpoch: false)
        let volume = Volume(environment, paths, record, generation)
        if !cuts.isEmpty || hydration != nil { volume.startBackgroundWork() }
        return volume
    }

    /// A rollback that ended in a crash may have left the home from before.
    private func removeOldHomes() {
        guard let names = try? disk.list(paths.directory) else { return }
        for name in names
        where name.hasPrefix("home") && name.hasSuffix(".img") && name != record.home {
            try? SegmentedFile.remove(paths.home(name), on: disk)
        }
    }

    private func openSource(_ source: (any BlockSource)?) throws(VolumeFailure) -> Hydration? {
        guard let snapshot = record.source else { return nil }
        guard let source else {
            throw .wrongState("the volume is still being restored from \(snapshot), which was not given")
        }
        guard source.size <= size else {
            throw .wrongState("\(snapshot) has \(source.size.bytes) bytes, more than the volume's \(size.bytes)")
        }
        return Hydration(snapshot: snapshot, source: source, size: size, isHomeEmpty: false)
    }

    /// The newest epoch and its map, with every older map that no cut owns taken into it.
    private func openMaps() throws(VolumeFailure) -> (Int, BlockBitmap) {
        let names = try VolumeFailure.disk { () throws(DiskFailure) in try disk.list(paths.maps) }
        let epochs = VolumePaths.epochs(names).filter { $0 >= record.firstEpoch && $0 > record.settledEpoch }
        let newest = epochs.last ?? max(record.firstEpoch, record.settledEpoch + 1)
        let dirty: BlockBitmap
        if epochs.isEmpty || lostCache {
            // After a power loss the file may be anything, and says nothing that is needed.
            dirty = try EpochMap.create(newest, paths, on: disk)
            try VolumeFailure.disk { () throws(DiskFailure) in try disk.syncDirectory(paths.maps) }
        } else {
            dirty = try EpochMap.open(newest, paths, on: disk)
            // A kill may have come between its making and the folder's sync; a clean stop will rely on its name.
            try VolumeFailure.disk { () throws(DiskFailure) in try disk.syncDirectory(paths.maps) }
        }
        return (newest, dirty)
    }

    private mutating func openCuts(
        below newest: Int, returningTo dirty: BlockBitmap
    ) throws(VolumeFailure) -> [Cut] {
        let folders = try VolumeFailure.disk { () throws(DiskFailure) in
            // An unsealed cut's overlay becomes a layer that takes writes: its folder's name must be durable like them.
            try disk.syncDirectory(paths.cuts)
            return VolumePaths.epochs(try disk.list(paths.cuts))
        }
        let maps = try VolumeFailure.disk { () throws(DiskFailure) in
            VolumePaths.epochs(try disk.list(paths.maps))
        }
        var cuts: [Cut] = []
        for epoch in Set(folders + maps).sorted() where epoch != newest || folders.contains(epoch) {
            if epoch <= record.settledEpoch || epoch < record.firstEpoch || epoch >= newest {
                removeDead(epoch, newest)
            } else if let cut = try openCut(epoch, hasFolder: folders.contains(epoch), returningTo: dirty) {
                // A later cut never counts its changes from one given up: those are given up newest first.
                cuts.append(cut)
            }
        }
        return cuts
    }

    private func removeDead(_ epoch: Int, _ newest: Int) {
        try? disk.removeTree(paths.cut(epoch))
        if epoch != newest { try? disk.remove(paths.map(epoch)) }
    }

    private mutating func openCut(
        _ epoch: Int, hasFolder: Bool, returningTo dirty: BlockBitmap
    ) throws(VolumeFailure) -> Cut? {
        let recordPath = paths.cutRecord(epoch)
        let isSealed = try VolumeFailure.disk { () throws(DiskFailure) in try disk.facts(recordPath) } != nil
        if hasFolder {
            // What this look found, a sealed cut or none, must not be undone by a power loss later.
            try VolumeFailure.disk { () throws(DiskFailure) in try disk.syncDirectory(paths.cut(epoch)) }
        }
        guard isSealed else { return try openUnsealed(epoch, hasFolder: hasFolder, returningTo: dirty) }
        let found = try RecordFile.read(CutRecord.self, from: recordPath, on: disk)
        guard found.format == CutRecord.knownFormat else {
            throw .newerFormat(path: recordPath, found: found.format, known: CutRecord.knownFormat)
        }
        guard found.epoch == epoch, found.size > 0, found.size <= Volume.maximumSize.bytes,
            found.size % Sector.size.bytes == 0, WallTime(milliseconds: found.time).isReadable
        else { throw .corrupt(path: recordPath, reason: "a value is out of its range") }
        let delta = try EpochMap.open(epoch, paths, on: disk)
        let log = try CapturedLog.open(paths.capturedLog(epoch), on: disk)
        let captured = BlockBitmap()
        try VolumeFailure.block("opening a cut") { () throws(BlockFailure) in
            if found.isEverythingDirty {
                try delta.insertEverything(below: BlockIndex(0) + BlockCount(covering: ByteCount(found.size)))
            }
            for pack in log.packs { for run in pack.runs { try captured.insert(run) } }
        }
        let overlay = try openOverlay(epoch, inode: found.overlayInode)
        return Cut(
            epoch: epoch, snapshot: found.snapshot, parent: found.parent, size: ByteCount(found.size), delta: delta,
            captured: captured, overlay: overlay, log: log, isEverythingDirty: found.isEverythingDirty)
    }

    /// A cut that was never sealed, or was given up: its changes are changes still, its overlay is still a layer.
    private mutating func openUnsealed(
        _ epoch: Int, hasFolder: Bool, returningTo dirty: BlockBitmap
    ) throws(VolumeFailure) -> Cut? {
        let hasMap = try VolumeFailure.disk { () throws(DiskFailure) in try disk.facts(paths.map(epoch)) } != nil
        if !lostCache, hasMap {
            let delta = try EpochMap.open(epoch, paths, on: disk)
            try VolumeFailure.block("opening a cut") { () throws(BlockFailure) in
                try dirty.insert(all: delta, below: end)
                // Its own file may go next, while the record may still say that the volume was closed in order.
                try dirty.sync()
            }
        } else if hasFolder {
            record.isEverythingDirty = true
        }
        let hasOverlay =
            try VolumeFailure.disk { () throws(DiskFailure) in
                try disk.facts(paths.overlay(epoch))
            } != nil
        guard hasOverlay else {
            removeDead(epoch, -1)
            return nil
        }
        let overlay = try openOverlay(epoch, inode: nil)
        let log = try CapturedLog.open(paths.capturedLog(epoch), on: disk)
        let cut = Cut(
            epoch: epoch, snapshot: "unsealed-\(epoch)", parent: nil, size: size, delta: BlockBitmap(),
            captured: BlockBitmap(), overlay: overlay, log: log, isEverythingDirty: false)
        cut.giveUp("the server stopped before the snapshot was safe on disk")
        return cut
    }

    /// What has data in the file is in the overlay.
    private func openOverlay(_ epoch: Int, inode: UInt64?) throws(VolumeFailure) -> Overlay {
        let path = paths.overlay(epoch)
        let (file, facts) = try VolumeFailure.disk { () throws(DiskFailure) in
            (try SegmentedFile.open(path, .readWrite, on: disk), try disk.facts(path))
        }
        if let inode, facts?.inode != inode { throw .copied(path: path) }
        let present = BlockBitmap()
        var count = BlockCount(0)
        try VolumeFailure.block("reading the extents of \(path)") { () throws(BlockFailure) in
            var position: ByteOffset = 0
            while let data = try file.nextData(from: position) {
                let hole = try file.nextHole(from: data)
                let run = ByteRange(from: data, to: hole).touchedBlocks
                try present.insert(run)
                count += run.count
                position = hole
            }
        }
        return Overlay(file, present: present, blocks: count)
    }

    private mutating func finishRollback() throws(VolumeFailure) {
        guard let snapshot = record.rollback else { return }
        try Rollback.punch(paths, home, size: size, on: disk)
        Rollback.complete(&record, to: snapshot, newest: try newestEpoch())
        try RecordFile.write(record, to: paths.record, on: disk)
    }

    private func newestEpoch() throws(VolumeFailure) -> Int {
        let names = try VolumeFailure.disk { () throws(DiskFailure) in try disk.list(paths.maps) }
        return max(VolumePaths.epochs(names).last ?? 1, record.firstEpoch, record.settledEpoch)
    }
}
