internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Takes snapshots of one or several volumes at one instant and stores them.
///
/// 1. Record each snapshot as `creating`, with its task.   Undo: remove the records; the tasks failed.
/// 2. Cut and seal every volume at one instant.            Undo: cancel the cuts, which are the newest.
///    If that is asked for, while their hosts keep still (``HostsAtRest``).
/// 3. Record all as `pending`, in one transaction; answer. Undo: record `error`, with the reason.
/// 4. Upload, a child after its parent, again as long as the store is away.
/// 5. The writer puts the manifest: the commit. From here on only forward.
/// 6. Record `completed`.                                  A crash repeats 4, which finds the manifest and ends.
/// 7. Tell the engine, which settles.                      A crash repeats it when the volume is opened.
///
/// Steps 1 to 3 run in the lanes of the volumes, so that nobody changes a volume's parent between its cut and the
/// record of it. A crash in 1 or 2 is undone at the next start: nobody was told of the snapshot. Whoever has its id before 3,
/// from an event or a policy, holds no lane of the volume: what would be undone with it, or lost in 3, is refused until then.
struct TakeSnapshot: Sendable {
    let house: Household

    /// What tokens are for.
    static let action = "create-snapshot"
    static let groupAction = "create-snapshot-group"

    /// What is to be taken.
    struct Order: Sendable {
        var volumes: [String]
        var name: String?
        var description: String?
        var group: String?
        /// Of each of them.
        var tags: [String: String] = [:]
        /// Besides, of those of some volumes; these count where both have a key.
        var tagsByVolume: [String: [String: String]] = [:]
        /// When each is to be deleted by itself; nil: never.
        var release: SnapshotRelease?
        /// Is each to be told to be available from its cut on?
        var hasInstantAccess = false
        /// By which token the first of them is asked for, and for what that is good.
        var token: RequestToken?
        var action = TakeSnapshot.action
        /// Of the group itself.
        var groupTags: [String: String] = [:]
        /// That each, and the group, is to be in.
        var resourceGroup: String?
        /// A snapshot that only a clone needs: deleted for everyone else from the start.
        var isHidden = false
        /// Does the account's quota hold for them?
        var isLimited = false
        /// Do the volumes' rates?
        var isRated = false
        /// What a cloud asks of the volumes besides.
        var terms = SnapshotTerms()
        /// How the volumes' hosts come to rest meanwhile; nil: they do not.
        var quiesce: Quiesce?
        /// What else is recorded with them, before anything is cut; if it throws, nothing is.
        var recording: (@Sendable (CatalogSession, [SnapshotRecord]) throws -> Void)?

        func tags(ofVolume id: String) -> [String: String] {
            tags.merging(tagsByVolume[id] ?? [:]) { _, own in own }
        }
    }

    /// Steps 1 to 3.
    ///
    /// - Returns: the pending snapshots, in the order of the volumes.
    func begin(_ order: Order) async throws -> [SnapshotRecord] {
        try await house.lanes.run(order.volumes) {
            let volumes = try await check(order)
            let planned = try await record(order)
            Failpoint.hit("snapshot.recorded")
            let (views, consistency) = try await cutAtRest(order, planned, volumes)
            Failpoint.hit("snapshot.cut")
            let pending = try await recordPending(planned, views, volumes, consistency, isRated: order.isRated)
            Failpoint.hit("snapshot.pending")
            for (snapshot, view) in zip(pending, views) { house.desk.add(Upload(view, of: snapshot.volumeID)) }
            for snapshot in pending { house.announce(snapshot.id, snapshot.volumeID) }
            return pending
        }
    }

    private func check(_ order: Order) async throws -> [Volume] {
        var volumes: [Volume] = []
        for id in order.volumes {
            let record = try await house.volumeRecord(id)
            guard record.state == .available else {
                throw ServiceError(
                    .wrongState, .volume,
                    "the volume \(id) is \(record.state.rawValue): snapshots are taken of available or attached volumes"
                )
            }
            let volume = try house.live.open(id)
            guard try await house.cuts(of: volume).count < Volume.pendingLimit else {
                throw ServiceError(
                    .limitExceeded, .snapshot,
                    "the volume \(id) has \(Volume.pendingLimit) pending snapshots: wait until one is completed")
            }
            volumes.append(volume)
        }
        return volumes
    }

    private typealias Planned = (snapshot: SnapshotRecord, task: TaskRecord)

    private func record(_ order: Order) async throws -> [Planned] {
        var planned: [Planned] = []
        for id in order.volumes {
            var snapshot = SnapshotRecord(
                id: Identifier.snapshot.next(isHidden: order.isHidden), volumeID: id, state: .creating,
                volumeSize: try house.live.open(id).size, createdAt: house.clock.now())
            snapshot.name = order.name
            snapshot.description = order.description
            snapshot.groupID = order.group
            snapshot.releaseAt = order.release?.time(madeAt: snapshot.createdAt)
            snapshot.hasInstantAccess = order.hasInstantAccess
            snapshot.isDeleted = order.isHidden
            let volume = try await house.volumeRecord(id)
            snapshot.account = volume.account
            snapshot.dataKey = volume.dataKey
            snapshot.keyID = volume.keyID
            planned.append((snapshot, house.newTask(.takeSnapshot, about: snapshot.id, of: volume.account)))
        }
        let inserted = planned
        try await house.catalog.change { session in
            if let first = inserted.first?.snapshot {
                try order.token?.take(
                    for: order.action, by: first.account, making: first.id, at: first.createdAt, session)
            }
            if let group = order.group, let first = inserted.first?.snapshot {
                try session.put(
                    SnapshotGroupRecord(
                        id: group, account: first.account, name: order.name, description: order.description))
                for (key, value) in order.groupTags { try session.setTag(key, to: value, on: group) }
            }
            for (snapshot, task) in inserted {
                try session.insert(snapshot)
                for (key, value) in order.tags(ofVolume: snapshot.volumeID) {
                    try session.setTag(key, to: value, on: snapshot.id)
                }
                for object in [snapshot.id, snapshot.groupID].compactMap(\.self) where order.resourceGroup != nil {
                    try session.place(object, of: snapshot.account, in: order.resourceGroup)
                }
                try session.insert(task)
            }
            let snapshots = inserted.map(\.snapshot)
            for snapshot in snapshots { try order.terms.check(snapshot, session) }
            if order.isLimited { try Quota.check(new: snapshots, session) }
            if order.isRated { try checkRates(of: snapshots, session) }
            try order.recording?(session, snapshots)
        }
        return planned
    }

    /// The rate is noted only in step 3, still in the volumes' lanes, so that nobody comes in between: what is undone before, by
    /// this call or by the next start, counts for nothing.
    private func checkRates(of snapshots: [SnapshotRecord], _ session: CatalogSession) throws {
        for snapshot in snapshots {
            try house.check(.snapshot, of: snapshot.volumeID, at: snapshot.createdAt, session)
        }
    }

    /// The cuts, and what each volume's is sure to be. The hosts go on as soon as they are made, or have failed.
    private func cutAtRest(
        _ order: Order, _ planned: [Planned], _ volumes: [Volume]
    ) async throws -> ([CutView], [String: Consistency]) {
        guard let quiesce = order.quiesce else { return (try await cut(planned, volumes), [:]) }
        let rest: HostsAtRest
        do { rest = try await HostsAtRest.bring(quiesce, of: order.volumes, house) } catch {
            await undo(planned, "\(error)")
            throw error
        }
        defer { rest.end() }
        do { try rest.check(quiesce) } catch {
            await undo(planned, "\(error)")
            throw error
        }
        let views = try await cut(planned, volumes)
        // Read before the check, since it only sinks: what is recorded is never less than what the check let pass.
        let reached = order.volumes.reduce(into: [:]) { $0[$1] = rest.reached($1) }
        do { try rest.check(quiesce) } catch {
            await takeBack(planned, volumes, "\(error)")
            throw error
        }
        return (views, reached)
    }

    /// In volume order inside the engine; answers in the caller's.
    private func cut(_ planned: [Planned], _ volumes: [Volume]) async throws -> [CutView] {
        let members = zip(planned, volumes).map {
            (volumeID: $0.0.snapshot.volumeID, id: $0.0.snapshot.id, volume: $0.1)
        }
        .sorted { $0.volumeID < $1.volumeID }
        do {
            let views = try await house.local.run {
                try Volume.cut(members.map { (volume: $0.volume, snapshot: $0.id) })
            }
            return try planned.map { wanted in
                guard let view = views.first(where: { $0.snapshot == wanted.snapshot.id }) else {
                    throw ServiceError(.internalFault, .snapshot, "the volume answered with another snapshot's cut")
                }
                return view
            }
        } catch {
            await undo(planned, "\(error)")
            throw error
        }
    }

    private func recordPending(
        _ planned: [Planned], _ views: [CutView], _ volumes: [Volume], _ consistency: [String: Consistency],
        isRated: Bool
    ) async throws -> [SnapshotRecord] {
        let now = house.clock.now()
        do {
            return try await house.catalog.change { [house] session in
                try zip(planned, views).map { planned, view in
                    // As it is by now: what somebody changed since step 1 stays.
                    guard var snapshot = try session.snapshot(planned.snapshot.id) else {
                        throw ServiceError(
                            .internalFault, .snapshot, "the record of \(planned.snapshot.id) went while it was cut")
                    }
                    snapshot.state = .pending
                    snapshot.parentID = view.parent
                    snapshot.volumeSize = view.size
                    snapshot.createdAt = now
                    snapshot.consistency = consistency[snapshot.volumeID]?.recorded
                    try session.update(snapshot)
                    if let known = snapshot.consistency { try session.set(consistency: known, ofSnapshot: snapshot.id) }
                    if isRated { try house.note(.snapshot, of: snapshot.volumeID, at: now, session) }
                    return snapshot
                }
            }
        } catch {
            await takeBack(planned, volumes, "\(error)")
            throw error
        }
    }

    /// Cancels cuts that were made, and undoes their records.
    private func takeBack(_ planned: [Planned], _ volumes: [Volume], _ reason: String) async {
        let members = zip(planned, volumes).map { ($0.snapshot.id, $1) }
        try? await house.local.run {
            for (id, volume) in members { _ = volume.cancel(id, reason: "it could not be recorded") }
        }
        await undo(planned, reason)
    }

    private func undo(_ planned: [Planned], _ reason: String) async {
        let failed = planned.map { ($0.snapshot.id, house.ended($0.task, .failed, reason)) }
        // What cannot be removed now is removed at the next start.
        try? await house.catalog.change { session in
            for (snapshot, task) in failed {
                try session.deleteSnapshot(snapshot)
                try session.deletePolicySnapshot(snapshot)
                try session.deleteTokens(of: snapshot)
                try session.update(task)
            }
        }
    }
}

extension SnapshotRecord {
    /// Refuses one that is not cut yet, and may be undone.
    func mustBeCut() throws {
        guard state == .creating else { return }
        throw ServiceError(.unavailable, .snapshot, "the snapshot \(id) is still being made: ask again")
    }
}
