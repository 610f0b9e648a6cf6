internal import Blocks
internal import Catalog
internal import Repository

/// Exchanges the disk that an instance starts from for a new one, made of a snapshot.
///
/// 1. Record it as `pending`, with its task and its token (``InstanceService``).
/// 2. Make the new disk; the transaction that records it writes its id down. Record `in-progress`.
///                                             A crash before the disk is available takes it away; it is made anew.
/// 3. End the old one's export; one transaction takes the old disk from the instance, puts the new one in its place and records
///    `exchanged`. The commit: from here on only forward.
///                                             A crash before it: the next start offers the old disk again, and exchanges it.
/// 4. Offer the new disk, at the same socket; delete the old one, if that was asked for and the new one can be opened; record
///    `succeeded`.
///                                             A crash repeats it: what is gone already, or somewhere else by now, is left alone.
///
/// What fails for good before 3 is undone: recorded as `failing`, the new disk is deleted, the old one offered where it is not, and
/// `failed` is recorded. The old disk was
/// on the instance all the time: one transaction exchanges them, so an instance is never without either.
struct ReplaceRoot: Sendable {
    let house: Household

    /// Takes up, or goes on with, what is recorded.
    func run(_ task: TaskRecord) async {
        _ = await house.runner.start(task) { try await attempt(task.subjectID) }
        house.announce(task.subjectID)
    }

    private func attempt(_ id: String) async throws -> Attempt {
        while let one = try await house.catalog.change({ try $0.rootReplacement(id) }) {
            switch one.state {
            case .pending:
                try await orFail(one) {
                    try await makeDisk(one)
                    _ = try await record(one.id) { $0.state = .inProgress }
                    Failpoint.hit("root.made")
                }
            case .inProgress: try await orFail(one) { try await exchange(one) }
            case .exchanged: try await finish(one)
            case .failing: try await undo(one)
            case .succeeded: return .done
            case .failed: return .failed(one.reason ?? "it failed")
            }
        }
        return .done
    }

    /// What no waiting mends is undone: the old disk is still on the instance, and what waits keeps everybody from replacing
    /// it otherwise.
    private func orFail(_ one: RootReplacementRecord, _ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            let failure = ServiceError.from(error, .volume)
            guard failure.isFinal else { throw error }
            _ = try await record(one.id) { present in
                // Not what was exchanged after all.
                guard present.state == one.state else { return }
                present.state = .failing
                present.reason = failure.message
            }
            Failpoint.hit("root.failing")
        }
    }

    /// One transaction.
    private func record(
        _ id: String, _ change: @escaping @Sendable (inout RootReplacementRecord) -> Void
    ) async throws -> RootReplacementRecord {
        let changed = try await house.catalog.change { session in
            guard var one = try session.rootReplacement(id) else { throw RootReplacementRecord.missing(id) }
            change(&one)
            try session.update(one)
            return one
        }
        house.announce(id, changed.instanceID)
        return changed
    }

    // MARK: Step 2

    /// As large and as fast as the old one, with its name, its description, its tags and its keepsakes: what finds its volumes by them goes on
    /// with the new disk.
    private func makeDisk(_ one: RootReplacementRecord) async throws {
        if let made = one.newVolume, try await house.catalog.change({ try $0.volume(made) }) != nil { return }
        let (old, tags, group, keepsakes, isInClear) = try await house.catalog.change { session in
            _ = try Self.place(one, session)
            return (
                try session.volume(one.oldVolume), try session.tags(of: one.oldVolume),
                try session.resourceGroup(of: one.oldVolume),
                try session.keepsakes(ofVolume: one.oldVolume),
                try session.snapshot(one.snapshotID)?.dataKey == nil
            )
        }
        guard let old, old.isPresent else { throw Household.noVolume(one.oldVolume) }
        var wanted = CreateVolume(size: nil, name: old.name, origin: .snapshot(one.snapshotID))
        wanted.description = old.description
        wanted.zone = old.zone
        wanted.tags = tags
        wanted.resourceGroup = group
        wanted.keepsakes = keepsakes
        if old.isPaced {
            wanted.profile = VolumeProfile(kind: old.kind, iops: old.iops, throughput: old.throughput)
        }
        // Made of a snapshot in the clear, the old one was encrypted on its own account: so is the new one.
        if old.dataKey != nil, isInClear { wanted.encryption = VolumeEncryption(key: old.keyID) }
        wanted.recording = { session, volume in
            try Self.checkMayUse(one, session)
            guard var present = try session.rootReplacement(one.id) else {
                throw RootReplacementRecord.missing(one.id)
            }
            present.newVolume = volume.id
            try session.update(present)
        }
        var order = MakeVolume.Order(wanted, from: one.snapshotID)
        // The old one may have grown since this was asked for, and may until the new one is recorded.
        order.sizing = { session in max(one.size, try session.volume(one.oldVolume)?.size ?? .zero) }
        _ = try await MakeVolume(house: house, account: one.account).run(order)
    }

    /// The account may have waited long for the disk, and may not have the snapshot any more: neither by itself, nor through the
    /// image that was asked for or that the instance was launched with.
    private static func checkMayUse(_ one: RootReplacementRecord, _ session: CatalogSession) throws {
        guard let snapshot = try session.snapshot(one.snapshotID) else { throw Household.noSnapshot(one.snapshotID) }
        if try Household.mayUse(snapshot, one.account, session) { return }
        let images = [one.imageID, try session.instance(one.instanceID)?.imageID].compactMap { $0 }
        let mayLaunch = try images.contains { id in
            guard let whole = try Household.usableImage(id, one.account, session) else { return false }
            return whole.image.state == .available && !whole.image.isDisabled
                && whole.snapshots.contains(snapshot.id)
        }
        guard mayLaunch else { throw Household.noSnapshot(one.snapshotID) }
    }

    // MARK: Step 3

    private func exchange(_ one: RootReplacementRecord) async throws {
        guard let new = one.newVolume else { throw Household.noVolume("of \(one.id)") }
        try await house.lanes.run([one.instanceID, one.oldVolume, new]) {
            _ = try await house.catalog.change { try Self.check(one, new, $0) }
            // Told before the old one's clients are sent away.
            _ = try house.live.open(new)
            await house.exports.withdraw(one.oldVolume)
            Failpoint.hit("root.withdrawn")
            do {
                try await house.catalog.change { [now = house.clock.now()] session in
                    var attachment = try Self.check(one, new, session)
                    attachment.objectID = new
                    attachment.export = new
                    attachment.attachedAt = now
                    try session.detachVolume(one.oldVolume)
                    try session.attachVolume(attachment)
                    var exchanged = one
                    exchanged.state = .exchanged
                    try session.update(exchanged)
                }
            } catch {
                // It is still the old one's place.
                try? await offer(one.oldVolume, on: one.instanceID)
                throw error
            }
            Failpoint.hit("root.attached")
        }
        house.announce(one.instanceID, one.oldVolume, new)
    }

    /// The old disk's attachment, if all is still as it was when this was asked for.
    private static func place(_ one: RootReplacementRecord, _ session: CatalogSession) throws -> AttachmentRecord {
        guard let instance = try session.instance(one.instanceID), instance.state != .terminated else {
            throw InstanceService.ended(one.instanceID)
        }
        // Waiting for the store may take long. What a guest that was started meanwhile wrote is not to go with the old disk.
        if let state = one.instanceState, instance.state != state || instance.changedAt != one.instanceSince {
            throw ServiceError(
                .wrongState, .instance,
                "the instance \(one.instanceID) did not stay \(state.rawValue) until its disk could be replaced: "
                    + "ask again")
        }
        guard let attachment = try session.volumeAttachment(one.oldVolume), attachment.host == one.instanceID,
            attachment.device == one.device
        else {
            throw ServiceError(
                .wrongState, .attachment, "\(one.oldVolume) is not on \(one.instanceID) as \(one.device) any more")
        }
        return attachment
    }

    /// The same, if the new disk is there to take its place.
    private static func check(
        _ one: RootReplacementRecord, _ new: String, _ session: CatalogSession
    ) throws -> AttachmentRecord {
        let attachment = try place(one, session)
        guard let volume = try session.volume(new), volume.isPresent, volume.state == .available else {
            throw Household.noVolume(new)
        }
        if let other = try session.volumeAttachment(new) {
            throw ServiceError(.inUse, .volume, "the volume \(new) is attached to \(other.host)")
        }
        return attachment
    }

    /// At its place, if it is there and can be opened. One that is offered already is offered anew: after a start, or when the last try
    /// came so far.
    private func offer(_ volume: String, on instance: String) async throws {
        let (record, attachment) = try await house.catalog.change { session in
            (try session.volume(volume), try session.volumeAttachment(volume))
        }
        guard let record, let attachment, attachment.host == instance, case .open(let device) = house.live[volume]
        else { return }
        await house.exports.withdraw(volume)
        try await house.exports.publish(
            ExportOffer(attachment.export, device: device, at: attachment.place, pace: house.pace(of: record)))
    }

    // MARK: Step 4, and undoing

    private func finish(_ one: RootReplacementRecord) async throws {
        if let new = one.newVolume {
            try await house.lanes.run(new) { try await offer(new, on: one.instanceID) }
        }
        Failpoint.hit("root.exchanged")
        guard one.deletesOld else { return try await end(one, as: .succeeded) }
        // Of a new disk that came to harm meanwhile, the old one may be all that there is.
        guard let new = one.newVolume, case .open = house.live[new] else {
            return try await end(
                one, as: .succeeded,
                "the old disk \(one.oldVolume) was kept: the new one is not there, or cannot be opened")
        }
        try await delete(one.oldVolume)
        try await end(one, as: .succeeded)
    }

    private func undo(_ one: RootReplacementRecord) async throws {
        if let new = one.newVolume { try await delete(new) }
        // Withdrawn for the exchange, it may be offered to nobody yet. Else its clients are left in peace.
        try await house.lanes.run([one.instanceID, one.oldVolume]) {
            if !house.exports.isPublished(one.oldVolume) { try await offer(one.oldVolume, on: one.instanceID) }
        }
        try await end(one, as: .failed)
    }

    private func end(
        _ one: RootReplacementRecord, as state: RootReplacementRecord.State, _ reason: String? = nil
    ) async throws {
        _ = try await record(one.id) { [now = house.clock.now()] one in
            one.state = state
            one.reason = reason ?? one.reason
            one.endedAt = now
        }
    }

    /// Unless it is gone, or somebody has taken it to another place meanwhile.
    private func delete(_ volume: String) async throws {
        do { try await DeleteVolume(house: house).begin(volume) } catch let error as ServiceError {
            switch error.code {
            case .missing, .wrongState, .inUse: return
            default: throw error
            }
        }
    }
}

extension ServiceError {
    /// Does no waiting mend it? A store that is away comes back by itself; a key, or room on the disk, comes only when somebody
    /// sees to it, who can ask again.
    fileprivate var isFinal: Bool {
        if let failure = cause as? RepositoryFailure, case .keyMissing = failure { return true }
        return switch code {
        case .missing, .invalid, .wrongState, .inUse, .limitExceeded, .noSpace, .corrupt, .unsupported, .locked,
            .forbidden, .internalFault:
            true
        case .unavailable: false
        }
    }
}

extension RootReplacementRecord {
    static func missing(_ id: String) -> ServiceError {
        ServiceError(.missing, .instance, "there is no replacement \(id)")
    }
}
