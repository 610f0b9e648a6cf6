internal import Blocks
internal import Catalog

/// Makes a volume with another one's present content: a copy that is usable at once.
///
/// 1. Take a snapshot of the source that nobody else sees.                 Undo: it is marked as deleted from the start.
/// 2. Make the copy from it (``MakeVolume``); its token, its quota, which volume it is of and the task of 3 are in the transaction
///    that records it. Whatever is not uploaded comes from the source's files.           Undo: as of any volume.
/// 3. Delete the snapshot: that waits until the copy has everything, or is gone.
/// A crash after 1 leaves a hidden snapshot; the next start deletes it as one that its owner deleted. A crash in 2 takes the copy
/// and its token away, so that the token makes it anew. After 2 the copy stays, and the next start takes up 3.
///
/// The hidden snapshot is uploaded like any other. So the source's frozen blocks are set free as fast as with any other, and what
/// happens to the source matters to the copy as little as to any volume that is made of a pending snapshot: deleted, the source
/// keeps its files until the snapshot has ended; rolled back, it is given other ones; attached or detached, nothing. If it runs out
/// of room for its overlay, its guest comes first (G7): the snapshot is given up. A copy that has everything by then is none the
/// worse for it; one that has not shows `error`, and its missing blocks are errors, never other bytes.
struct CloneVolume: Sendable {
    let house: Household
    let caller: Caller

    /// What tokens are for.
    static let action = "copy-volume"

    /// Makes the copy.
    ///
    /// - Throws: ``RequestToken/Used`` when it was made before.
    func run(_ source: String, _ request: CreateVolume) async throws -> VolumeRecord {
        // First: the source may have gone since, and nothing is cut for what is there.
        if let used = try await used(request.token) { throw used }
        let record = try await house.volumeRecord(source, for: caller)
        let order = try check(request, record)
        let hidden = TakeSnapshot.Order(volumes: [source], name: "copy of \(source)", isHidden: true)
        guard let snapshot = try await TakeSnapshot(house: house).begin(hidden).first else {
            preconditionFailure("one volume, one snapshot")
        }
        Failpoint.hit("clone.cut")
        let forgetting = house.newTask(.deleteSnapshot, about: snapshot.id, of: snapshot.account)
        do {
            var wanted = order
            wanted.snapshot = snapshot.id
            wanted.recording = { session, volume in
                try order.recording?(session, volume)
                try session.insert(forgetting)
            }
            let made = try await MakeVolume(house: house, account: record.account).run(wanted)
            forget(snapshot, forgetting)
            return made
        } catch {
            // Without a copy its task may still have to be recorded. What cannot be now, the next start finds: the snapshot is marked as
            // deleted.
            do {
                try await house.catalog.change { session in
                    if try session.task(forgetting.id) == nil { try session.insert(forgetting) }
                }
                forget(snapshot, forgetting)
            } catch {}
            throw error
        }
    }

    private func used(_ token: RequestToken?) async throws -> RequestToken.Used? {
        guard let token else { return nil }
        return try await house.catalog.change { [caller] in try token.used(for: Self.action, by: caller.account, $0) }
    }

    /// What can be told before anything is cut, in words that know of no snapshot.
    private func check(_ request: CreateVolume, _ source: VolumeRecord) throws -> MakeVolume.Order {
        try Limits.check(name: request.name, .volume)
        try Limits.check(description: request.description, .volume)
        if let size = request.size { try Limits.check(size: size) }
        if let size = request.size, size < source.size {
            throw ServiceError(
                .invalid, .volume,
                "the size \(size.bytes) is less than that of \(source.id), \(source.size.bytes) bytes")
        }
        try request.profile?.check(size: request.size ?? source.size)
        if request.encryption != nil, source.dataKey == nil {
            throw ServiceError(
                .invalid, .volume,
                "\(source.id) is not encrypted, and a copy is as its volume is: take a snapshot, and make an encrypted volume of "
                    + "that")
        }
        try MakeVolume.check(request.encryption, of: source.id, source.dataKey, source.keyID)
        let zone = source.zone ?? house.region.zones[0].name
        guard request.zone == nil || request.zone == zone else {
            throw ServiceError(
                .invalid, .volume, "\(source.id) is in \(zone), and so is what is copied from it: leave the zone out")
        }
        var order = MakeVolume.Order(request)
        order.zone = zone
        order.encryption = nil
        order.copied = source
        order.action = Self.action
        return order
    }

    /// Step 3, which may have to wait for the store: it goes on by itself, and the copy is there whatever becomes of it.
    private func forget(_ snapshot: SnapshotRecord, _ task: TaskRecord) {
        Task { [house] in await DeleteSnapshot(house: house).run(task, snapshot.id) }
    }
}
