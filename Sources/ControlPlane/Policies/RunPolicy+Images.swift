internal import Blocks
internal import Catalog

/// Runs that make images.
extension RunPolicy {
    /// Steps 1 and 2 of ``MakeImage``, with the policy's mark in the transaction that records the image; it goes with the image if
    /// that is undone. So a repetition makes what is missing and nothing again.
    func makeImage(
        of instance: String, _ schedules: [PolicyPlan.Schedule], _ order: Order, _ task: TaskRecord
    ) async throws {
        let policy = task.subjectID, run = task.id
        let (record, copied) = try await house.catalog.change { session in
            (try Self.policy(policy, order, session), try session.tags(of: instance))
        }
        guard let record else { throw Gone() }
        let stamp = WallTime(milliseconds: order.due).description.prefix(16).replacing(":", with: ".")
        var names = ImageNames("\(policy)_\(instance)_\(stamp)Z_\(run.suffix(6))")
        names.description = "Created for policy: \(policy) schedule: \(schedules[0].name)"
        names.tags = PolicyPlan.tags(of: schedules, for: instance, at: order.due)
        if schedules.contains(where: \.copiesTags) {
            for (key, value) in copied.sorted(by: { $0.key < $1.key })
            where names.tags[key] == nil && names.tags.count < TagRules.countMax { names.tags[key] = value }
        }
        names.snapshotTags = names.tags
        var request = NewImageOfInstance(names, of: instance)
        request.isRated = false
        let now = house.clock.now()
        request.recording = { session, image in
            // Paused or deleted since: then nothing is cut any more.
            guard try Self.policy(policy, order, session) != nil else { throw Gone() }
            try session.insert(
                EventRecord.own("image.create", [image.id], because: policy, of: image.account, at: now))
            var made = PolicyImageRecord(
                imageID: image.id, runID: run, instanceID: instance, policyID: policy,
                schedules: schedules.map(\.name))
            made.expiresAt = schedules.compactMap { $0.retention.expiry(of: image.createdAt) }.max()
            if let deprecated = Self.deprecation(of: image, schedules) {
                var image = image
                image.deprecatedAt = deprecated
                try session.update(image)
                made.isDeprecated = true
            }
            try session.insert(made)
            for region in Set(schedules.flatMap(\.copies).map(\.region)) {
                try session.insert(PolicyCopyRecord(of: image.id, to: region, by: policy))
            }
        }
        let caller = Caller(account: record.account, principal: "policy", role: .operator)
        do { _ = try await ImageService(house, caller).create(request) } catch let error as ServiceError
            where error.cause is Gone
        { throw Gone() }
        Failpoint.hit("policy.image.made")
    }

    /// By age it is known at once. Of several schedules the last one counts; one that does not deprecate, for ever.
    static func deprecation(of image: ImageRecord, _ schedules: [PolicyPlan.Schedule]) -> WallTime? {
        let times = schedules.map { $0.deprecation?.expiry(of: image.createdAt) }
        return times.contains(nil) ? nil : times.compactMap { $0 }.max()?.toTheMinute
    }

    /// Tries of one run come one after another: what is half made is left of one that could not undo it.
    static func dropUnborn(imagesOfRun run: String, _ session: CatalogSession) throws {
        for made in try session.policyImages(ofRun: run) {
            guard try session.image(made.imageID)?.state == .pending else { continue }
            let isUnborn = try session.disks(ofImage: made.imageID).compactMap(\.snapshotID).contains { id in
                guard let snapshot = try session.snapshot(id) else { return true }
                return snapshot.state == .creating
            }
            guard isUnborn else { continue }
            try session.deleteImage(made.imageID)
            try session.deletePolicyImage(made.imageID)
        }
    }
}
