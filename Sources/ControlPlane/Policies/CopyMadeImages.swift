internal import Blocks
internal import Catalog

/// Sees to the copies of images that a policy owes to other regions: as ``CopyTaken`` does for snapshots, by the same marks and in
/// the same order, so that a stop at any point is answered there.
///
/// A copy that failed is looked at by whoever likes for an hour; then another is made:
///
/// 1. Take it off, with a note of its snapshots in the same transaction.                        (``LetGo``)
/// 2. Delete those, and take that note away.
/// 3. Remove its mark, then the note that it failed, and begin anew.
///
/// A stop after 1 finds the note of the snapshots and goes on, so none is left that nobody knows what it was for; one within 3
/// finds a note that it failed and no mark, or the next one's that has not failed: then the note is taken away.
struct CopyMadeImages: Sendable {
    let house: Household

    private static let pause = Duration.seconds(60)
    private static let pauseAfterFailure = Duration.seconds(3600)

    /// What one policy owes.
    ///
    /// - Returns: when to try again; nil: when another of its images is available.
    func run(_ policy: String) async throws -> WallTime? {
        var again: WallTime?
        for one in try await house.catalog.change({ try $0.owedImageCopies(ofPolicy: policy) }) {
            if Task.isCancelled { return again }
            do { try await see(to: one) } catch {
                let problem = ServiceError.from(error, .policy).message
                try await house.catalog.change {
                    try $0.setProblem("a copy to \(one.region): \(problem)", ofPolicy: policy)
                }
                again = house.clock.now() + Self.pause
            }
        }
        return again
    }

    private func see(to owed: PolicyCopyRecord) async throws {
        guard let target = house.neighbours[owed.region] else {
            throw Household.noRegion(owed.region, house.neighbours)
        }
        let made = try await target.catalog.change { session -> (id: String, image: ImageRecord?)? in
            guard let made = try session.policyImages(ofRun: owed.objectID).first else { return nil }
            return (made.imageID, try session.image(made.imageID))
        }
        // Of one that is gone the note says whether it was made before.
        let hasFailed = made.map { $0.image?.isPresent == true ? $0.image?.state == .failed : owed.failedAt != nil }
        if hasFailed != true, owed.failedAt != nil {
            try await house.catalog.change { try $0.setFailure(nil, of: owed) }
        }
        guard let made else { return try await begin(owed, in: target) }
        if hasFailed == true { return try await retry(owed, made.id, made.image?.reason, in: target) }
        if made.image?.isPresent == true, made.image?.state == .pending { return }
        try await house.catalog.change { try $0.setCopy(made.id, of: owed) }
    }

    private func retry(_ owed: PolicyCopyRecord, _ copy: String, _ reason: String?, in target: Household) async throws {
        let now = house.clock.now(), since = owed.failedAt ?? now
        if owed.failedAt == nil { try await house.catalog.change { try $0.setFailure(now, of: owed) } }
        guard since + Self.pauseAfterFailure <= now else {
            throw ServiceError(.unavailable, .image, "\(copy) failed: \(reason ?? "its owner deregistered it")")
        }
        guard let record = try await house.catalog.change({ try $0.policy(owed.policyID) }), record.isEnabled else {
            return
        }
        do {
            _ = try await ImageService(target, caller(record)).takeOff(
                copy,
                provided: { session in
                    guard try session.image(copy)?.state == .failed else { throw LetGo.Kept() }
                },
                recording: { session, snapshots in
                    try session.setDoomed(snapshots, ofImage: copy)
                    try session.insert(
                        EventRecord.own("image.deregister", [copy], because: record.id, of: record.account, at: now))
                })
        } catch is LetGo.Kept {
            // It was taken off before, or its owner was first.
        }
        guard try await LetGo(house: house).deleteDoomed(ofImage: copy, in: target) == nil else {
            throw ServiceError(.unavailable, .image, "\(copy) failed, and its snapshots cannot be deleted now")
        }
        try await target.catalog.change { try $0.deletePolicyImage(copy) }
        try await house.catalog.change { try $0.setFailure(nil, of: owed) }
        try await begin(owed, in: target)
    }

    private func begin(_ owed: PolicyCopyRecord, in target: Household) async throws {
        let found = try await house.catalog.change { session -> (PolicyRecord, PolicyImageRecord, ImageRecord)? in
            guard let policy = try session.policy(owed.policyID), let made = try session.policyImage(owed.objectID),
                let image = try session.image(owed.objectID), image.isPresent, image.state != .failed
            else { return nil }
            return (policy, made, image)
        }
        guard let (policy, made, image) = found else { return try await drop(owed) }
        guard policy.isEnabled, image.state == .available else { return }
        let rules = try PolicyPlan(text: policy.plan).copies(to: owed.region, of: made.schedules)
        guard !rules.isEmpty else { return try await drop(owed) }
        let now = house.clock.now()
        if let hindrance = try await house.catalog.change({ try Self.hindrance(to: image, at: now, $0) }) {
            // What its owner settled so, or is lost, is owed no more: it would keep the image for ever.
            try await drop(owed)
            throw ServiceError(.wrongState, .image, "\(image.id) \(hindrance) and is not copied")
        }

        var names = ImageNames(image.name)
        names.description = "Copied for policy: \(policy.id) schedule: \(rules[0].schedule)"
        var request = CopyImage(names, of: image.id, in: house.region.name)
        request.copiesTags = rules.contains(where: \.copy.copiesTags)
        if request.copiesTags {
            request.names.snapshotTags = try await house.catalog.change { try $0.tags(of: image.id) }
        }
        if rules.contains(where: \.copy.isEncrypted) {
            request.encryption = VolumeEncryption(key: rules.compactMap(\.copy.keyId).first)
        }
        request.recording = { session, copy in
            var mark = PolicyImageRecord(
                imageID: copy.id, runID: image.id, instanceID: made.instanceID, policyID: policy.id,
                schedules: rules.map(\.schedule))
            mark.cutAt = image.createdAt
            mark.expiresAt = rules.compactMap { $0.copy.retention.expiry(of: copy.createdAt) }.max()
            let times = rules.map { $0.copy.deprecation?.expiry(of: copy.createdAt) }
            if !times.contains(nil) {
                var copy = copy
                copy.deprecatedAt = times.compactMap { $0 }.max()?.toTheMinute
                try session.update(copy)
                mark.isDeprecated = true
            }
            try session.insert(mark)
            try session.insert(
                EventRecord.own(
                    "image.copy", [image.id, copy.id], because: policy.id, of: policy.account, at: copy.createdAt))
        }
        _ = try await ImageService(target, caller(policy)).copy(request)
        Failpoint.hit("policy.image.copied")
    }

    /// Why an image cannot be copied as it is; nil: it can.
    private static func hindrance(to image: ImageRecord, at now: WallTime, _ session: CatalogSession) throws -> String?
    {
        if image.isDisabled { return "is disabled" }
        for snapshot in try session.disks(ofImage: image.id).compactMap(\.snapshotID) {
            if try session.damage(of: snapshot) != nil { return "has the damaged snapshot \(snapshot)" }
            if try session.snapshot(snapshot)?.tier?.isArchived(at: now) == true {
                return "has the archived snapshot \(snapshot)"
            }
        }
        return nil
    }

    private func caller(_ policy: PolicyRecord) -> Caller {
        Caller(account: policy.account, principal: "policy", role: .operator)
    }

    private func drop(_ owed: PolicyCopyRecord) async throws {
        try await house.catalog.change { try $0.deleteOwedCopy(owed) }
    }
}
