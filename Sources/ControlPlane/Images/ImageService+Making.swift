internal import Blocks
internal import Catalog

extension ImageService {
    /// What tokens are for.
    static let copyAction = "copy-image"

    // MARK: Of an instance

    /// Makes an image of an instance's disks as they are at one instant during the call. It is available once they are stored.
    public func create(_ request: NewImageOfInstance) async throws -> ImageView {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            return try await once(by: request.token) { try await createNew(request) }
        }
    }

    private func createNew(_ request: NewImageOfInstance) async throws -> ImageView {
        try request.names.check()
        try Identifier.instance.check(request.instance, .instance)
        let leavingOut = try request.leavingOut.map { try DeviceName($0) }
        let instances = InstanceService(house, caller)
        // In the instance's lane, in which disks come: it is of those that are there at the cut. Volumes' lanes are taken
        // inside it, as whoever attaches one does.
        let task = try await house.lanes.run(request.instance) {
            let instance = try await instances.show(request.instance)
            guard instance.state != .terminated else { throw InstanceService.ended(instance.id) }
            let disks = try instance.disks.filter { disk in !leavingOut.contains(try DeviceName(disk.device)) }
            guard let first = disks.first else {
                throw ServiceError(.wrongState, .instance, "the instance \(instance.id) has no disk for an image")
            }
            let root = instance.rootDevice ?? first.device
            guard disks.contains(where: { $0.device == root }) else {
                throw ServiceError(.invalid, .image, "the image would be without the root disk \(root)")
            }
            return try await cut(request, instance, disks, root: root)
        }
        Failpoint.hit("image.cut")
        await MakeImage(house: house).run(task)
        return ImageView(
            try await house.usableImage(task.subjectID, for: caller), for: caller, at: house.clock.now())
    }

    /// Steps 1 and 2 of ``MakeImage``.
    private func cut(
        _ request: NewImageOfInstance, _ instance: InstanceView, _ disks: [InstanceView.Disk], root: String
    ) async throws -> TaskRecord {
        var planned = ImageRecord(
            id: Identifier.image.next(), account: caller.account, name: request.names.name, rootDevice: root,
            createdAt: house.clock.now())
        planned.description = request.names.description
        planned.state = .pending
        planned.sourceInstance = instance.id
        let image = planned
        let task = house.newTask(.createImage, about: image.id, of: image.account)
        var order = TakeSnapshot.Order(
            volumes: disks.map(\.volumeId), name: nil,
            description: ImageSnapshots(request.names).description(for: image.id, copying: nil),
            group: Identifier.group.next(),
            tags: request.names.snapshotTags)
        order.isLimited = true
        order.isRated = request.isRated
        order.recording = { session, snapshots in
            try request.token?.take(
                for: Self.action, by: image.account, making: image.id, at: image.createdAt, session)
            let records = try disks.map { try Self.disk($0, of: image.id, snapshots, session) }
            try Self.insert(image, records, request.names.tags, session)
            try session.place(image.id, of: image.account, in: request.names.resourceGroup)
            try session.insert(task)
            try request.recording?(session, image)
        }
        do { _ = try await TakeSnapshot(house: house).begin(order) } catch {
            // What cannot be removed now the next start removes.
            let failed = house.ended(task, .failed, ServiceError.from(error, .image).message)
            try? await house.catalog.change { session in
                try session.deleteImage(image.id)
                try session.deletePolicyImage(image.id)
                try session.deleteTokens(of: image.id)
                try session.update(failed)
            }
            throw error
        }
        return task
    }

    private static func disk(
        _ disk: InstanceView.Disk, of image: String, _ snapshots: [SnapshotRecord], _ session: CatalogSession
    ) throws -> ImageDiskRecord {
        guard let snapshot = snapshots.first(where: { $0.volumeID == disk.volumeId }),
            let volume = try session.volume(disk.volumeId)
        else { throw Household.noVolume(disk.volumeId) }
        var record = ImageDiskRecord(
            imageID: image, device: disk.device, snapshotID: snapshot.id, size: snapshot.volumeSize)
        if volume.isPaced {
            record.kind = volume.kind
            record.iops = volume.iops
            record.throughput = volume.throughput
        }
        record.goesWithInstance = disk.goesWithInstance
        return record
    }

    // MARK: Of another image

    /// Copies an image into this region, with its snapshots: it is available once they are stored. Its sharing and its owner's
    /// protection are not copied, its tags only if that is asked for.
    public func copy(_ request: CopyImage) async throws -> ImageView {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            try request.names.check()
            let region = request.region ?? house.region.name
            guard let from = house.neighbours[region] else { throw Household.noRegion(region, house.neighbours) }
            let source = try await from.usableImage(request.image, for: caller)
            guard source.image.state == .available, !source.image.isDisabled else {
                throw Household.unavailable(source.image)
            }
            try await mustRead(source, in: from)
            if let key = request.encryption?.key { try await house.mustHold(key) }
            do {
                let task = try await record(request, source, in: from)
                Failpoint.hit("image.recorded")
                await MakeImage(house: house).run(task)
                return ImageView(
                    try await house.usableImage(task.subjectID, for: caller), for: caller, at: house.clock.now())
            } catch let used as RequestToken.Used {
                do {
                    let made = try await house.usableImage(used.object, for: caller)
                    return ImageView(made, for: caller, at: house.clock.now())
                } catch let error as ServiceError where error.code == .missing {
                    throw used.gone
                }
            }
        }
    }

    /// Whoever may launch an image may not therefore read its snapshots.
    private func mustRead(_ source: WholeImage, in from: Household) async throws {
        for snapshot in source.snapshots {
            do { _ = try await from.usableSnapshot(snapshot, for: caller) } catch let error as ServiceError {
                guard error.code == .missing else { throw error }
                throw ServiceError(
                    .forbidden, .image, "the snapshots of \(source.image.id) are not shared with \(caller.account)")
            }
        }
    }

    /// The tags that the caller sees on an image: of another's their own.
    private func callersTags(of source: WholeImage, in from: Household) async throws -> [String: String] {
        if source.image.account == caller.account { return source.tags }
        return try await from.catalog.change { [caller] session in
            try session.shareeTags(of: source.image.id, by: caller.account)
        }
    }

    private func record(
        _ request: CopyImage, _ source: WholeImage, in from: Household
    ) async throws -> TaskRecord {
        var planned = source.image
        planned.id = Identifier.image.next()
        planned.account = caller.account
        planned.name = request.names.name
        planned.description = request.names.description
        planned.state = .pending
        planned.protection = .off
        planned.protectedUntil = nil
        planned.deprecatedAt = nil
        planned.sourceInstance = nil
        planned.sourceImage = source.image.id
        planned.sourceRegion = from.region.name
        planned.isEncryptedCopy = request.encryption != nil
        planned.sourceKey = request.encryption?.key
        planned.createdAt = house.clock.now()
        planned.changedAt = planned.createdAt
        let image = planned
        let disks = source.disks.map { disk in
            var copy = disk
            copy.imageID = image.id
            copy.snapshotID = nil
            copy.sourceSnapshot = disk.snapshotID
            return copy
        }
        let copied = request.copiesTags ? try await callersTags(of: source, in: from) : [:]
        let tags = copied.merging(request.names.tags) { _, own in own }
        try TagRules.check(count: tags.count, of: "the image")
        let task = house.newTask(
            .copyImage, about: image.id, of: image.account, argument: try ImageSnapshots(request.names).text())
        try await house.catalog.change { session in
            try request.token?.take(
                for: Self.copyAction, by: image.account, making: image.id, at: image.createdAt, session)
            try Self.insert(image, disks, tags, session)
            try session.insert(task)
            try request.recording?(session, image)
        }
        return task
    }
}
