internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Makes a volume, empty or restored from a snapshot.
///
/// 1. Check the origin and record the volume as `creating`, with its task, in one transaction: from here on the
///    snapshot cannot be deleted under it.                                  Undo: remove the record; the task failed.
/// 2. Make the volume's files and open it.                                  Undo: remove the files.
/// 3. Record it as `available` (an import: `importing`); answer. Blocks arrive on demand and in the background.
/// A crash before 3 is undone at the next start: nobody was told of the volume.
struct MakeVolume: Sendable {
    let house: Household
    /// Whose it is to be.
    let account: String

    /// What is to be made.
    struct Order: Sendable {
        var size: ByteCount?
        var name: String?
        var description: String?
        var tags: [String: String]
        var resourceGroup: String?
        var keepsakes: [String: String]
        var zone: String?
        var profile: VolumeProfile?
        var isShared: Bool
        var fillRate: Int?
        /// By which token it is asked for.
        var token: RequestToken?
        /// The origin, or nil for an empty volume.
        var snapshot: String?
        /// The volume that it is a copy of. Then the snapshot is one that only the copy is to have.
        var copied: VolumeRecord?
        /// What tokens are for.
        var action = MakeVolume.action
        var isImport = false
        /// For an empty one, or of an unencrypted snapshot; what is made of an encrypted one is encrypted as that is.
        var encryption: VolumeEncryption?
        /// How large, as the catalog is when it is recorded; nil: as `size` says.
        var sizing: (@Sendable (CatalogSession) throws -> ByteCount)?
        /// What is recorded with it.
        var recording: (@Sendable (CatalogSession, VolumeRecord) throws -> Void)?
        /// Are blocks that cannot be read to be zeros, rather than errors?
        var skipsDamage: Bool

        init(_ request: CreateVolume, from snapshot: String? = nil) {
            size = request.size
            name = request.name
            description = request.description
            tags = request.tags
            resourceGroup = request.resourceGroup
            keepsakes = request.keepsakes
            zone = request.zone
            profile = request.profile
            isShared = request.isShared
            fillRate = request.fillRate
            token = request.token
            recording = request.recording
            self.snapshot = snapshot
            encryption = request.encryption
            skipsDamage = request.skipsDamage
        }

        /// Places a volume and makes it as fast as its kind lets it be.
        func fill(_ record: inout VolumeRecord) throws {
            record.description = description.flatMap { $0.isEmpty ? nil : $0 }
            record.zone = zone
            record.isShared = isShared
            record.fillRate = fillRate
            if let fillRate {
                guard CreateVolume.fillRates.contains(fillRate), snapshot != nil, copied == nil else {
                    throw ServiceError(
                        .invalid, .volume,
                        "a rate of filling, here \(fillRate) MiB/s, is \(CreateVolume.fillRates.lowerBound) to "
                            + "\(CreateVolume.fillRates.upperBound), of a volume that is made of a snapshot")
                }
            }
            try SharedVolume.check(kind: profile?.kind, isShared: isShared)
            guard let profile else { return }
            try profile.check(size: record.size)
            // What was asked for; what the kind makes of it at its size is told whenever somebody asks.
            record.isPaced = true
            record.kind = profile.kind
            record.iops = profile.iops
            record.throughput = profile.throughput
        }
    }

    /// What tokens are for.
    static let action = "create-volume"

    /// Makes it.
    ///
    /// - Throws: ``RequestToken/Used`` when it was made before.
    func run(_ order: Order) async throws -> VolumeRecord {
        // First: no key is made, and no store asked, for what is there.
        if let used = try await used(order) { throw used }
        let (wanted, snapshot) = (order.size, order.snapshot)
        try Limits.check(name: order.name, .volume)
        try Limits.check(description: order.description, .volume)
        if let wanted { try Limits.check(size: wanted) }
        if let snapshot { try Identifier.snapshot.check(snapshot, .snapshot) }
        if snapshot == nil { _ = try Self.size(wanted, nil) }
        let key = try await key(order)
        let id = Identifier.volume.next()
        let task = house.newTask(.createVolume, about: id, of: account, argument: snapshot)
        let (record, origin) = try await house.catalog.change { [now = house.clock.now(), account, house] session in
            try session.mustHave(account: account)
            try order.token?.take(for: order.action, by: account, making: id, at: now, session)
            let origin = try Self.origin(snapshot, order.copied != nil, now, session)
            if let origin { try Self.check(order.encryption, of: origin.id, origin.dataKey, origin.keyID) }
            let damage = try origin.flatMap { try session.damage(of: $0.id) }
            let size = try order.sizing?(session) ?? wanted
            var record = VolumeRecord(
                id: id, name: order.name, state: .creating, size: try Self.size(size, origin),
                sourceSnapshot: origin?.id, createdAt: now)
            record.account = account
            // A copy's snapshot is nobody's to know.
            record.originSnapshot = order.copied == nil ? origin?.id : nil
            record.sourceVolume = order.copied?.id
            record.isMadeEmpty = snapshot == nil && !order.isImport
            try order.fill(&record)
            record.isFastRestored = try isRestoredFast(record, session)
            try Quota.check(record, besides: house.promises, session)
            if order.skipsDamage {
                record.holes = damage?.runs ?? []
            } else if let damage {
                throw ServiceError.degraded(damage, "create the volume with holes there (--skip-damaged)")
            }
            let own = origin?.dataKey == nil ? key : nil
            record.dataKey = own?.id ?? origin?.dataKey
            record.keyID = own?.keyID ?? origin?.keyID
            if let own { try session.insert(own) }
            try session.insert(record)
            for (key, value) in order.tags { try session.setTag(key, to: value, on: id) }
            try session.place(id, of: account, in: order.resourceGroup)
            if !order.keepsakes.isEmpty { try session.set(keepsakes: order.keepsakes, ofVolume: id) }
            try session.insert(task)
            try order.recording?(session, record)
            return (record, origin)
        }
        Failpoint.hit("volume.recorded")
        return try await house.lanes.run(id) {
            do {
                try await make(record, origin)
                Failpoint.hit("volume.made")
                return try await finish(record, task, order.isImport)
            } catch {
                await undo(record, task, "\(error)")
                throw error
            }
        }
    }

    private func used(_ order: Order) async throws -> RequestToken.Used? {
        guard let token = order.token else { return nil }
        return try await house.catalog.change { [account] in try token.used(for: order.action, by: account, $0) }
    }

    /// A new lineage's data key, or nil. Of a completed snapshot the key must be here, or nothing of it could be read; a
    /// pending one is still in its volume's files.
    private func key(_ order: Order) async throws -> KeyRecord? {
        if let snapshot = order.snapshot {
            let found = try await house.catalog.change { try $0.snapshot(snapshot) }
            if found?.state == .completed { try await requireKey(found?.dataKey, of: snapshot) }
            // A clone is as its volume is, whatever the account wants of new ones.
            guard let found, found.dataKey == nil, order.copied == nil else { return nil }
        }
        guard let wanted = try await house.encryption(order.encryption, of: account) else { return nil }
        return try await house.newDataKey(wanted)
    }

    /// Where all of the snapshot is here, a store that is away is no reason to wait; a key that is gone is one.
    private func requireKey(_ dataKey: String?, of snapshot: String) async throws {
        do { try await house.requireKey(dataKey) } catch RepositoryFailure.store where house.fast[snapshot] != nil {
        } catch let error as ServiceError where error.code == .unavailable && house.fast[snapshot] != nil {}
    }

    /// Is all of its snapshot here, because the account asked for that in its zone?
    private func isRestoredFast(_ record: VolumeRecord, _ session: CatalogSession) throws -> Bool {
        guard let snapshot = record.originSnapshot, house.fast[snapshot] != nil else { return false }
        let zone = record.zone ?? house.region.zones[0].name
        return try session.fastRestores(of: record.account).contains {
            $0.snapshotID == snapshot && $0.zone == zone && $0.holds
        }
    }

    /// What is made of something encrypted is encrypted exactly as that is: it shares what that stored. Of a snapshot in the clear
    /// an encrypted volume can be made, which shares nothing.
    static func check(
        _ encryption: VolumeEncryption?, of origin: String, _ dataKey: String?, _ keyID: String?
    ) throws {
        guard let encryption, dataKey != nil else { return }
        guard let key = encryption.key, try Household.keyID(key).description != keyID else { return }
        throw ServiceError(
            .invalid, .volume,
            "\(origin) is encrypted with \(keyID ?? "an unknown key"), and so is what is made of it: leave the key out")
    }

    private static func origin(
        _ id: String?, _ isForCopy: Bool, _ now: WallTime, _ session: CatalogSession
    ) throws -> SnapshotRecord? {
        guard let id else { return nil }
        guard let origin = try session.snapshot(id), isForCopy || origin.isPresent else {
            throw Household.noSnapshot(id)
        }
        try origin.mustHaveContent()
        try origin.mustNotBeArchived(at: now)
        return origin
    }

    private static func size(_ wanted: ByteCount?, _ origin: SnapshotRecord?) throws -> ByteCount {
        guard let size = wanted ?? origin?.volumeSize else {
            throw ServiceError(.invalid, .volume, "an empty volume needs a size")
        }
        if let origin, size < origin.volumeSize {
            throw ServiceError(
                .invalid, .volume,
                "the size \(size.bytes) is less than that of \(origin.id), \(origin.volumeSize.bytes) bytes")
        }
        return size
    }

    /// Makes and opens a volume's files.
    func makeFiles(of record: VolumeRecord, from origin: SnapshotRecord?) async throws -> Volume {
        let source = origin.map { house.source(of: $0, for: record) }
        return try await house.local.run { [house] in
            let path = house.directory.files(of: record)
            // Its parent is its source, so that its first snapshot stores only what it changed itself. Not so with holes: there
            // it differs from its source, and where is known only once all has been fetched, while a snapshot may be taken at
            // any time, and the lost content may come back. Nor of another account's snapshot: whose lineage goes on when that
            // is deleted would tell of snapshots that were never shared. So it counts from nothing, in the record that makes it
            // a volume: no crash finds it otherwise. Nor of a snapshot in the clear where the volume is encrypted: its snapshots
            // must not point at what anybody can read.
            let startsAnew =
                record.holes != nil
                || origin.map { $0.account != record.account || $0.dataKey != record.dataKey } == true
            let plan = NewVolume(
                size: record.size, source: origin?.id, parent: startsAnew ? nil : origin?.id,
                isEverythingChanged: startsAnew)
            try Volume.create(plan, at: path, in: house.environment)
            return try Volume.open(at: path, in: house.environment, source: source)
        }
    }

    private func make(_ record: VolumeRecord, _ origin: SnapshotRecord?) async throws {
        house.live.set(record.id, .open(try await makeFiles(of: record, from: origin)))
        if origin != nil { house.hydrations.add(record.id) }
    }

    private func finish(_ record: VolumeRecord, _ task: TaskRecord, _ isImport: Bool) async throws -> VolumeRecord {
        var ready = record
        ready.state = isImport ? .importing : .available
        let done = ready, ended = house.ended(task, .succeeded)
        try await house.catalog.change { session in
            try session.update(done)
            try session.update(ended)
        }
        Failpoint.hit("volume.ready")
        house.announce(record.id)
        return done
    }

    /// What cannot be undone now is undone at the next start.
    private func undo(_ record: VolumeRecord, _ task: TaskRecord, _ reason: String) async {
        house.hydrations.remove(record.id)
        let entry = house.live[record.id]
        house.live.set(record.id, nil)
        house.paces.remove(record.id)
        do {
            try await house.local.run { [house] in
                if case .open(let volume) = entry { try? volume.close() }
                try Volume.destroy(at: house.directory.files(of: record), in: house.environment)
            }
            let failed = house.ended(task, .failed, reason)
            try await house.catalog.change { session in
                try session.deleteVolume(record.id)
                try session.deleteTokens(of: record.id)
                try session.update(failed)
            }
            house.announce(record.id)
        } catch {}
    }
}
