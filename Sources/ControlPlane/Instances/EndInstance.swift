internal import Blocks
internal import Catalog

/// Ends an instance.
///
/// 1. Record it as terminated; nothing is attached to it any more.      From here on only forward: the next start does the rest.
/// 2. Take the disks from it: those that go with it are deleted, unless others have them too; the others detached.
/// Each step may run twice.
struct EndInstance: Sendable {
    let house: Household

    /// Both steps, in the instance's lane.
    ///
    /// - Parameter settle: what else is recorded with step 1.
    func begin(_ id: String, settle: (@Sendable (CatalogSession) throws -> Void)? = nil) async throws {
        try await house.lanes.run(id) {
            try await house.catalog.change { [now = house.clock.now()] session in
                guard var record = try session.instance(id) else { throw InstanceService.noInstance(id) }
                if record.state != .terminated {
                    record.state = .terminated
                    record.changedAt = now
                    try session.update(record)
                }
                try settle?(session)
            }
            house.announce(id)
            Failpoint.hit("instance.terminated")
            try await run(id)
        }
    }

    /// Step 2. In the instance's lane, or while the house opens.
    func run(_ id: String) async throws {
        for attachment in try await house.catalog.change({ try $0.volumeAttachments(to: id) }) {
            let volume = attachment.objectID
            // Only what is here alone goes, which for what several instances have is the last of them. Two of these that end at once
            // ask in the volume's lane one after the other: so the first is detached and the second finds itself the last.
            while try await !detach(volume, from: id) {
                // Detached and marked in one transaction: no stop leaves it detached and kept. Who attached it elsewhere since it was
                // asked has it now: then it is detached here after all.
                let isGone = try await DeleteVolume(house: house).begin(volume, detaching: true) { present in
                    present.count == 1 && present[0].host == id && present[0].goesWithInstance
                }
                if isGone { break }
            }
            Failpoint.hit("instance.detached")
        }
    }

    /// Takes a volume from the instance, unless it is to go with it.
    ///
    /// - Returns: false: it is, and nobody else has it.
    private func detach(_ volume: String, from id: String) async throws -> Bool {
        let isDone = try await house.lanes.run(volume) {
            let all = try await house.catalog.change { try $0.volumeAttachments(ofVolume: volume) }
            guard let present = all.first(where: { $0.host == id }) else { return true }
            if present.goesWithInstance, all.count == 1 { return false }
            await house.exports.withdraw(present.export)
            try await house.catalog.change { try $0.detachVolume(volume, from: id) }
            return true
        }
        if isDone { house.announce(volume) }
        return isDone
    }
}
