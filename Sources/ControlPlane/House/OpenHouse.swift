internal import Blocks
internal import Catalog
internal import VolumeEngine

/// Puts a data directory into service, whatever state it was left in.
///
/// 1. Lock the directory, open the catalog, know the store.
/// 2. Delete volumes that were never finished: nobody was told of them, or an import was cut off.
/// 3. Open the others, all at once, and before them the local copies that they may read; quarantine what cannot be opened.
/// 4. Bring snapshots and cuts together: resume, finish, or undo each.
/// 5. End tasks that a crash left without an object, take up deletions; take disks from instances that
///    are terminated, and what an unfinished launch has made.
/// 6. Publish what is attached.
/// 7. Start uploading, also what was written piece by piece, and emptying the bin.
/// 8. Start copying; go on with images, and with runs of policies; begin those that were missed.
/// Each step may run twice: a crash while opening only means to open again.
struct OpenHouse: Sendable {
    let house: Household

    /// Step 1.
    static func prepare(
        _ plan: HousePlan, _ exports: any ExportBoard, _ neighbours: Neighbours
    ) async throws -> Household {
        guard plan.uploadsAtOnce > 0, plan.uploadsAtOnce <= 64 else {
            throw ServiceError(.invalid, .house, "\(plan.uploadsAtOnce) uploads at once: 1 to 64 are allowed")
        }
        return try await BlockingPool.runAlone {
            Result { try make(plan, exports, neighbours) }
        }.get()
    }

    private static func make(
        _ plan: HousePlan, _ exports: any ExportBoard, _ neighbours: Neighbours
    ) throws -> Household {
        // A key that cannot be used is a slip to mend before anything is touched.
        let keyring = try KeyFiles.keyring(plan, on: LocalDisk())
        let directory = try DataDirectory(plan.data, on: LocalDisk())
        let catalog = try Catalog(sqlite: directory.catalog)
        do {
            let known = try catalog.changeWaiting { try $0.setting(storeSetting) }
            let region = try plan.region ?? OpenRegions.ownRegion(catalog)
            let (credentials, rack) = try accessKeys(plan, directory, catalog, neighbours)
            return Household(
                plan, in: region, beside: neighbours, directory: directory, catalog: catalog,
                store: plan.store ?? known ?? directory.store, credentials: credentials, keyRack: rack,
                exports: exports,
                keyring: keyring)
        } catch {
            catalog.close()
            throw error
        }
    }

    /// Those of all regions are the first one's.
    private static func accessKeys(
        _ plan: HousePlan, _ directory: DataDirectory, _ catalog: Catalog, _ neighbours: Neighbours
    ) throws -> (RootCredentials, KeyRack) {
        if let first = neighbours.first { return (first.credentials, first.keyRack) }
        let credentials = try RootCredentials.openOrCreate(in: directory)
        let rack = KeyRack(try SealingKey.openOrCreate(in: directory), root: credentials)
        let unopened = rack.load(try catalog.changeWaiting { try $0.accessKeys() })
        if !unopened.isEmpty { plan.onNotice?(.unopened(unopened.map(\.id), directory.sealingKey)) }
        return (credentials, rack)
    }

    /// The setting that says where the store is, so that the next start finds it by itself.
    static let storeSetting = "store"

    /// Steps 2 to 7.
    func run() async throws {
        try await openStore()
        try await dropUnfinished()
        try await house.local.run { [house] in try house.fast.load() }
        try await openVolumes()
        try await Reconcile(house: house).run()
        try await endTasks()
        try await endInstances()
        try await publish()
        // Before anybody can change anything.
        await house.meter.open(house)
        let take = TakeSnapshot(house: house)
        house.desk.open { take.upload($0) }
        try await WriteSnapshot(house: house).resume()
        house.hydrations.open(house)
        house.scrub.open(house)
        house.fast.open(house)
        house.bin.open(house)
        house.tiers.open(house)
        house.releases.open(house)
        house.inheritance.open(house)
        house.grown.open(house)
    }

    /// Step 8, when every region has come so far: what may ask another one.
    func begin() async throws {
        try await CopySnapshotTask(house: house).resume()
        try await resumeImages()
        try await resumeRuns()
        try await resumeRootReplacements()
        try await house.scheduler.open(house)
    }

    /// At first start, and at a place that is new, the store must be there: better a clear refusal now than snapshots that can
    /// never be stored. Later, only what no waiting mends is refused.
    private func openStore() async throws {
        let location = house.door.location
        let (isKnown, remembered) = try await house.catalog.change { session in
            (try session.setting(StoreDoor.idSetting) != nil, try session.setting(Self.storeSetting))
        }
        let before = remembered.flatMap { isKnown && $0 != location ? $0 : nil }
        // Two that clean up one store would each take the other's for nobody's.
        if let other = house.neighbours.all.first(where: { $0 !== house && $0.door.location == location }) {
            throw ServiceError(
                .invalid, .store,
                "\(location) is the store of the region \(other.region.name) already: give each region its own")
        }
        do {
            try await house.remote.run { [house] in _ = try house.door.repository() }
        } catch {
            let error = ServiceError.from(error, .store)
            if let before {
                throw ServiceError(
                    error.code, error.noun,
                    "\(error.message); this data directory's snapshots are in \(before): another place must hold a copy of "
                        + "them, and another store wants another data directory", cause: error)
            }
            if !isKnown || error.code == .unsupported || error.code == .invalid { throw error }
        }
        // Only now: a place that was refused is not remembered.
        try await house.catalog.change { try $0.set(Self.storeSetting, to: location) }
    }

    private func dropUnfinished() async throws {
        let unfinished = try await house.catalog.change { session in
            try session.volumes().filter { $0.state == .creating || $0.state == .importing }
        }
        for record in unfinished {
            try await house.local.run { [house] in
                try Volume.destroy(at: house.directory.files(of: record), in: house.environment)
            }
            try await house.catalog.change { session in
                try session.deleteVolume(record.id)
                try session.deleteTokens(of: record.id)
            }
        }
    }

    private func openVolumes() async throws {
        let records = try await house.catalog.change { try $0.volumes() }
        await withTaskGroup(of: Void.self) { group in
            for record in records { group.addTask { await OpenVolume(house: house).run(record) } }
        }
        for record in records {
            guard let owner = record.asideOf, case .open(let volume) = house.live[owner],
                case .open(let old) = house.live[record.id]
            else { continue }
            volume.setAside(old)
        }
    }

    /// Deletions go on; everything else that is still unfinished either has its object (uploads) or has failed.
    private func endTasks() async throws {
        let (tasks, existing) = try await house.catalog.change { [now = house.clock.now()] session in
            try session.deleteTasks(finishedBefore: now + .seconds(-7 * 86_400))
            try session.deleteOldPolicySnapshots()
            try session.deleteRootReplacements(endedBefore: now + .seconds(-7 * 86_400))
            try session.deleteTokens(ofGoneBefore: now + .seconds(-7 * 86_400))
            let ids = try session.volumes().map(\.id) + session.snapshots().map(\.id)
            return (try session.unfinishedTasks(), Set(ids))
        }
        for task in tasks {
            let isThere = existing.contains(task.subjectID)
            switch TaskView.Kind(rawValue: task.kind) {
            case .deleteSnapshot where isThere, .deleteVolume where isThere, .rotateKeys: continue
            // The object went, and the stop came before that was recorded.
            case .deleteSnapshot, .deleteVolume: try await end(task, .succeeded, nil)
            // It goes on by itself where it stopped.
            case .scrubStore, .runPolicy, .createImage, .copyImage, .replaceRoot: continue
            case .takeSnapshot where house.desk.upload(of: task.subjectID) != nil: continue
            // It goes on by itself, or was deleted.
            case .copySnapshot where isThere, .writeSnapshot where isThere, .fetchSnapshot where isThere: continue
            case .rollBackVolume where try await isRolledBack(task): try await end(task, .succeeded, nil)
            case .runInstances:
                let owner = Caller(account: task.account ?? AccountRecord.first, principal: "varve", role: .operator)
                await LaunchInstances(house: house, caller: owner).undo(
                    task.subjectID, by: task, because: "the server stopped before it was done; nothing of it stays")
            case .createVolume, .rollBackVolume, .reinitialiseVolume, .takeSnapshot, .copySnapshot, .writeSnapshot,
                .fetchSnapshot, nil:
                try await end(task, .failed, "the server stopped before it was done; nothing was changed")
            }
        }
        try await resumeDeletions(tasks)
        for task in tasks where task.kind == TaskView.Kind.rotateKeys.rawValue {
            await RotateKeys(house: house).run(task)
        }
    }

    private func isRolledBack(_ task: TaskRecord) async throws -> Bool {
        guard case .open(let volume) = house.live[task.subjectID] else { return false }
        let status = try await house.status(of: volume)
        return status.source == task.argument || status.parent == task.argument && status.dirty == .zero
    }

    private func end(_ task: TaskRecord, _ state: TaskRecord.State, _ reason: String?) async throws {
        let ended = house.ended(task, state, reason)
        try await house.catalog.change { session in _ = try session.update(ended) }
    }

    /// What is marked as deleted says what is to do; its task may be missing (the snapshot of a clone that was cut off).
    private func resumeDeletions(_ tasks: [TaskRecord]) async throws {
        let (volumes, snapshots) = try await house.catalog.change { session in
            (try session.volumes().filter { $0.state == .deleting }, try session.snapshots().filter(\.isDeleted))
        }
        for volume in volumes {
            let task = try await task(.deleteVolume, volume.id, of: volume.account, tasks)
            await DeleteVolume(house: house).run(task, volume.id)
        }
        for snapshot in snapshots {
            let task = try await task(.deleteSnapshot, snapshot.id, of: snapshot.account, tasks)
            await DeleteSnapshot(house: house).run(task, snapshot.id)
        }
    }

    private func task(
        _ kind: TaskView.Kind, _ subject: String, of account: String, _ known: [TaskRecord]
    ) async throws -> TaskRecord {
        if let found = known.first(where: { $0.kind == kind.rawValue && $0.subjectID == subject }) { return found }
        let made = house.newTask(kind, about: subject, of: account)
        try await house.catalog.change { try $0.insert(made) }
        return made
    }

    /// Images that are not available yet: after reconciling, so that it is known which of their snapshots there are.
    private func resumeImages() async throws {
        for task in try await house.catalog.change({ try $0.unfinishedTasks() })
        where [TaskView.Kind.createImage, .copyImage].contains(TaskView.Kind(rawValue: task.kind)) {
            await MakeImage(house: house).run(task)
        }
    }

    /// Runs of policies that were planned and not done: after reconciling, so that what they had cut is known.
    private func resumeRuns() async throws {
        for task in try await house.catalog.change({ try $0.unfinishedTasks() })
        where task.kind == TaskView.Kind.runPolicy.rawValue {
            await RunPolicy(house: house).run(task)
        }
    }

    /// Exchanges of disks: after what is attached is offered.
    private func resumeRootReplacements() async throws {
        for task in try await house.catalog.change({ try $0.unfinishedTasks() })
        where task.kind == TaskView.Kind.replaceRoot.rawValue {
            await ReplaceRoot(house: house).run(task)
        }
    }

    private func endInstances() async throws {
        let end = EndInstance(house: house)
        let hosts = try await house.catalog.change { session in
            try Set(session.volumeAttachments().map(\.host)).filter { try session.instance($0)?.state == .terminated }
        }
        for host in hosts { try await end.run(host) }
    }

    /// A quarantined volume keeps its attachment, and is published once it can be opened again.
    private func publish() async throws {
        let (attachments, exports) = try await house.catalog.change { session in
            (try session.volumeAttachments(), try session.snapshotExports())
        }
        for attachment in attachments {
            guard case .open(let volume) = house.live[attachment.objectID] else { continue }
            let record = try await house.catalog.change { try $0.volume(attachment.objectID) }
            try await house.exports.publish(
                ExportOffer(
                    attachment.export, device: volume, at: attachment.place, pace: record.flatMap(house.pace(of:))))
        }
        for export in exports {
            guard let record = try await house.catalog.change({ try $0.snapshot(export.objectID) }) else { continue }
            try await house.exports.publish(record.id, device: SnapshotDevice(house.source(of: record)))
        }
    }
}
