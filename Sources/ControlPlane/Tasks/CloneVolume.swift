internal import Blocks
internal import Catalog

/// Makes a volume with another one's present content.
///
/// 1. Take a snapshot of the origin that nobody else sees.
/// 2. Make the new volume from it; it is usable at once, whatever is not uploaded comes from the origin's files.
/// 3. Delete the snapshot: that waits until the new volume has everything.
/// A crash after 1 leaves a hidden snapshot; the next start deletes it as one that its owner deleted.
struct CloneVolume: Sendable {
    let house: Household

    /// Makes the clone.
    func run(_ origin: String, _ request: CreateVolume) async throws -> VolumeRecord {
        let (size, name) = (request.size, request.name)
        try Limits.check(name: name, .volume)
        if let size { try Limits.check(size: size) }
        let record = try await house.volumeRecord(origin)
        if let size, size < record.size {
            throw ServiceError(
                .invalid, .volume,
                "the size \(size.bytes) is less than that of \(origin), \(record.size.bytes) bytes")
        }
        if request.encryption != nil, record.dataKey == nil {
            throw ServiceError(
                .invalid, .volume,
                "\(origin) is not encrypted, and a clone is as its volume is: take a snapshot, and make an encrypted volume of "
                    + "that")
        }
        try MakeVolume.check(request.encryption, of: origin, record.dataKey, record.keyID)
        let order = TakeSnapshot.Order(volumes: [origin], name: "clone of \(origin)", isHidden: true)
        guard let snapshot = try await TakeSnapshot(house: house).begin(order).first else {
            preconditionFailure("one volume, one snapshot")
        }
        Failpoint.hit("clone.cut")
        do {
            var wanted = MakeVolume.Order(request, from: snapshot.id)
            wanted.mayBeHidden = true
            // Looked at above, in words that know of no snapshot.
            wanted.encryption = nil
            let made = try await MakeVolume(house: house, account: record.account).run(wanted)
            try await delete(snapshot)
            return made
        } catch {
            try? await delete(snapshot)
            throw error
        }
    }

    private func delete(_ snapshot: SnapshotRecord) async throws {
        let task = house.newTask(.deleteSnapshot, about: snapshot.id, of: snapshot.account)
        try await house.catalog.change { try $0.insert(task) }
        await DeleteSnapshot(house: house).run(task, snapshot.id)
    }
}
