internal import Blocks
internal import Repository
internal import Simulation
internal import VolumeEngine

extension World {
    func hydrate(_ disk: ModelDisk) throws {
        let faults = fate.faults
        do { _ = try disk.live.hydrate() } catch {
            if fate.down != nil { throw error }
            guard fate.faults > faults else { throw Violation(.r1, "hydrating \(disk.name) failed: \(error)") }
        }
    }

    /// Only a volume whose snapshots are all in the store.
    func rollBack(_ disk: ModelDisk, _ position: Int, inPlace: Bool) throws {
        let known = committed
        guard !known.isEmpty, disk.cuts.allSatisfy({ snapshots[$0]?.state == .committed }) else { return }
        let target = known[position % known.count]
        guard target.image.numbers.count <= disk.sectors else { return }
        try settle(disk)
        underWay.disk = disk
        underWay.image = target.image.resized(to: disk.sectors)
        underWay.rollBack = target.id
        let faults = fate.faults
        do {
            var changed: [BlockRange]?
            if inPlace, let parent = disk.parent, snapshots[parent]?.state == .committed {
                changed = try repository.diff(from: id(parent), to: id(target.id)).ranges()
            }
            try disk.live.rollBack(to: target.id, source: try source(target.id), changed: changed)
        } catch {
            if fate.down != nil { throw error }
            guard fate.faults > faults else {
                throw Violation(.disk, "rolling \(disk.name) back to \(target.id) failed: \(error)")
            }
            return
        }
        disk.replace(target.image.resized(to: disk.sectors))
        disk.parent = target.id
    }

    func grow(_ disk: ModelDisk, _ units: Int) throws {
        guard disk.sectors + units < 900 else { return }
        underWay.disk = disk
        underWay.image = disk.now.resized(to: disk.sectors + units)
        try disk.live.grow(to: ByteCount((disk.sectors + units) * Self.unit))
        disk.resize(to: disk.sectors + units)
    }

    /// Every volume is closed in order and opened again.
    func restart(newBoot: Bool) throws {
        for disk in disks {
            try disk.live.close()
            flushed(disk)
        }
        for disk in disks { disk.volume = nil }
        if newBoot { boot += 1 }
        try openAll()
        try tellEngine()
    }

    /// Opens every volume, with where its absent blocks come from.
    func openAll() throws {
        whereabouts.state.withLock { $0.views = [:] }
        finished = [:]
        repository = try fate.quietly {
            try Repository.open(store, options: RepositoryOptions(frameCache: .mebibytes(4), clock: clock))
        }
        let current = repository
        whereabouts.state.withLock { $0.repository = current }
        let environment = environment
        for disk in disks {
            let name = try Volume.sourceOfVolume(at: disk.directory, in: environment)
            disk.volume = try Volume.open(
                at: disk.directory, in: environment, source: try name.map { try source($0) })
        }
        for disk in disks { see(disk) }
    }

    /// What was committed before the restart, the engine hears again.
    func tellEngine() throws {
        for disk in disks {
            for cut in disk.cuts where snapshots[cut]?.state != .pending { disk.live.finish(cut) }
        }
    }
}
