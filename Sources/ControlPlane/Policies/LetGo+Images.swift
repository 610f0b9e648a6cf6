internal import Blocks
internal import Catalog

/// Images that a policy lets go.
///
/// 1. Take the image off, or into the bin, with a note of its snapshots in the same transaction.   (``ImageService``)
/// 2. Delete each of those that nobody needs.
/// 3. Take the note away.
///
/// A stop after 1 finds the note at the next start and goes on, also when the policy was paused or deleted meanwhile: no
/// snapshots are left that nobody knows what they were for. 2 may run twice: what is gone is gone.
///
/// An image that went into the bin can be restored as long as its snapshots are there: the note stands until its time there is
/// over. Restored, it is its owner's, and the note is taken away in that transaction; each deletion asks for the note in its own.
extension LetGo {
    /// Step 1, then the others. What must not be, as when it is protected, is tried again later.
    func deregister(
        _ id: String, by rules: Rules, in region: Household, provided condition: @escaping Condition
    ) async -> Bool {
        let caller = Caller(account: rules.account, principal: "policy", role: .operator)
        let now = region.clock.now()
        do {
            _ = try await ImageService(region, caller).takeOff(id, provided: condition) { session, snapshots in
                try session.setDoomed(snapshots, ofImage: id)
                try session.insert(
                    EventRecord.own("image.deregister", [id], because: rules.policy, of: rules.account, at: now))
            }
            Failpoint.hit("policy.image.let-go")
            return try await deleteDoomed(ofImage: id, in: region) == nil
        } catch let error as ServiceError where error.code == .missing {
            return true
        } catch { return false }
    }

    /// Steps 2 and 3 of all images of a policy.
    ///
    /// - Returns: when to try again; nil: nothing is left.
    func deleteDoomed(of policy: String, in region: Household) async throws -> WallTime? {
        var again: WallTime?
        for made in try await region.catalog.change({ try $0.doomedImages(ofPolicy: policy) }) {
            guard let time = try await deleteDoomed(ofImage: made.imageID, in: region) else { continue }
            again = min(time, again ?? time)
        }
        return again
    }

    /// Of one image.
    func deleteDoomed(ofImage image: String, in region: Household) async throws -> WallTime? {
        let now = region.clock.now()
        let (made, stay) = try await region.catalog.change { (try $0.policyImage(image), try $0.image(image)?.bin) }
        guard let made, let doomed = made.doomed else { return nil }
        if let stay, now < stay.until { return stay.until }
        var gone: Set<String> = []
        for snapshot in doomed {
            if try await delete(snapshot, of: made, in: region) { gone.insert(snapshot) }
        }
        let isDone = try await region.catalog.change { [gone] session in
            let left = try session.policyImage(image)?.doomed?.filter { !gone.contains($0) } ?? []
            try session.setDoomed(left.isEmpty ? nil : left, ofImage: image)
            return left.isEmpty
        }
        return isDone ? nil : now + Self.pause
    }

    /// - Returns: false if it cannot be now: it is locked, exported or being restored from; or it is not to be any more.
    private func delete(_ snapshot: String, of made: PolicyImageRecord, in region: Household) async throws -> Bool {
        do {
            let record = try await region.snapshotRecord(snapshot)
            try await DeleteSnapshot(house: region).begin(snapshot, waiting: false) { session in
                guard try session.policyImage(made.imageID)?.doomed?.contains(snapshot) == true else { throw Kept() }
                try Self.mustBeUnused(snapshot, session)
            }
            try await region.catalog.change { [now = region.clock.now()] session in
                try session.insert(
                    EventRecord.own("snapshot.delete", [snapshot], because: made.policyID, of: record.account, at: now))
            }
            return true
        } catch is Kept {
            return false
        } catch let error as ServiceError {
            // Another image needs it: then it is that one's.
            return error.code == .missing || error.code == .inUse
        }
    }

    /// Deprecates what its schedules settle by count, with a mark in the same transaction: once, so that its owner may take that
    /// back.
    func deprecate(_ images: [String], of policy: String) async throws {
        let now = house.clock.now()
        for id in images {
            try await house.catalog.change { session in
                guard let rules = try Rules(policy, session),
                    try rules.surplus(at: now, session).toDeprecate.contains(id),
                    var image = try session.image(id), image.isPresent
                else { return }
                image.deprecatedAt = image.deprecatedAt ?? now.toTheMinute
                try session.update(image)
                try session.setDeprecatedByPolicy(image: id)
                try session.insert(
                    EventRecord.own("image.deprecate", [id], because: policy, of: image.account, at: now))
            }
            house.announce(id)
        }
    }
}
