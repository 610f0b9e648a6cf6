internal import Blocks
internal import Catalog

/// The verbs on instances: the hosts that volumes attach to. Every error is a ``ServiceError``.
///
/// The house runs no machines. An instance stands for one of its owner's, and its state is what the owner says it is; what the
/// house does is to offer its disks to it.
public struct InstanceService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// What tokens are for.
    static let action = "run-instances"
    /// For how many seconds a terminated one is still shown.
    private static let afterlife = 3600

    /// Makes instances, running, with their disks. If a disk cannot be made none of them stays, and if the server stops before the
    /// last one is there, the next start takes all of them away.
    public func launch(_ request: NewInstances) async throws -> [InstanceView] {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            let image = try await house.launchableImage(request.imageID, for: caller)
            let request = try Self.request(request, from: image)
            let zone = try check(request)
            let launch = Identifier.launch.next(), now = house.clock.now()
            let records = (0..<request.count).map { _ in
                var record = InstanceRecord(
                    id: Identifier.instance.next(), account: caller.account, zone: zone, kind: request.kind,
                    imageID: request.imageID, launchID: launch, launchedAt: now)
                record.isKept = request.isKept
                return record
            }
            let task = house.newTask(.runInstances, about: launch, of: caller.account)
            do {
                try await record(records, of: request, launch, task, at: now)
            } catch let used as RequestToken.Used { return try await made(by: used, request.token) }
            Failpoint.hit("instance.recorded")
            do {
                for record in records { try await fill(record, request.disks, through: image?.snapshots ?? []) }
            } catch {
                try? await undo(launch, records.map(\.id), task, ServiceError.from(error, .instance).message)
                throw error
            }
            let done = house.ended(task, .succeeded, nil)
            try await house.catalog.change { _ = try $0.update(done) }
            house.announce(launch)
            return try await views(of: records)
        }
    }

    /// The instances and the token that they are asked for by, in one transaction: whoever asks once more, at the same time or
    /// after a crash, finds these.
    private func record(
        _ records: [InstanceRecord], of request: NewInstances, _ launch: String, _ task: TaskRecord, at now: WallTime
    ) async throws {
        try await house.catalog.change { [caller] session in
            try session.mustHave(account: caller.account)
            try request.token?.take(for: Self.action, by: caller.account, making: launch, at: now, session)
            try session.insert(task)
            for record in records {
                try session.insert(record)
                for (key, value) in request.tags { try session.setTag(key, to: value, on: record.id) }
                try session.set(request.attributes.record, ofInstance: record.id)
            }
        }
    }

    /// As they are now; those that were terminated among them, while they are shown at all.
    private func made(by used: RequestToken.Used, _ token: RequestToken?) async throws -> [InstanceView] {
        let records = try await house.catalog.change { [caller] session in
            try session.instances(of: caller.account).filter { $0.launchID == used.object }
        }
        guard !records.isEmpty else {
            throw used.gone
        }
        return try await views(of: records)
    }

    private func check(_ request: NewInstances) throws -> String {
        guard (1...Limits.instancesAtOnce).contains(request.count) else {
            throw ServiceError(
                .invalid, .instance, "\(request.count) instances at once: 1 to \(Limits.instancesAtOnce) are allowed")
        }
        try Limits.check(name: request.kind, .instance)
        try Limits.check(name: request.imageID, .instance)
        try Self.check(userData: request.attributes.userData)
        try TagRules.check(request.tags)
        try TagRules.check(count: request.tags.count, of: "the instance")
        guard request.disks.count <= Limits.disksMax else {
            throw ServiceError(
                .invalid, .instance, "\(request.disks.count) disks: at most \(Limits.disksMax) are allowed")
        }
        var names: [DeviceName] = []
        for disk in request.disks {
            let name = try DeviceName(disk.device)
            guard !names.contains(name) else {
                throw ServiceError(.invalid, .attachment, "the device \(disk.device) is named twice")
            }
            names.append(name)
        }
        let wanted = request.zone ?? house.region.zones[0].name
        guard house.region.zone(wanted)?.name == wanted else {
            throw ServiceError(.invalid, .instance, "there is no zone \(wanted.quotable) in \(house.region.name)")
        }
        return wanted
    }

    private static func request(_ request: NewInstances, from image: WholeImage?) throws -> NewInstances {
        guard let image else { return request }
        var request = request
        request.disks = try image.disks(for: request)
        return request
    }

    private func fill(
        _ record: InstanceRecord, _ disks: [NewInstances.Disk], through images: Set<String>
    ) async throws {
        for disk in disks {
            var wanted = disk.volume
            wanted.zone = record.zone
            let volume = try await VolumeService(house, caller).create(wanted, through: images).id
            do {
                _ = try await attach(volume, to: record.id, as: disk.device, goesWithInstance: disk.goesWithInstance)
            } catch {
                try? await VolumeService(house, caller).delete(volume)
                throw error
            }
        }
    }

    /// It came to nothing, and nobody was told of it: the client may try again by the same token.
    private func undo(_ launch: String, _ ids: [String], _ task: TaskRecord, _ reason: String) async throws {
        for id in ids { try await undo(id) }
        let ended = house.ended(task, .failed, reason)
        try await house.catalog.change { session in
            try session.deleteTokens(of: launch)
            _ = try session.update(ended)
        }
    }

    /// After a stop: what was being launched then.
    func undo(_ task: TaskRecord) async throws {
        let ids = try await house.catalog.change { [caller] session in
            try session.instances(of: caller.account).filter {
                $0.launchID == task.subjectID && $0.state != .terminated
            }.map(\.id)
        }
        try await undo(task.subjectID, ids, task, "the server stopped before it was done; nothing of it stays")
    }

    /// All its disks go with it.
    private func undo(_ id: String) async throws {
        try await house.catalog.change { session in
            for disk in try session.volumeAttachments(to: id) {
                try session.setGoesWithInstance(true, volume: disk.objectID)
            }
        }
        try await end(id)
    }

    /// One instance.
    public func show(_ id: String) async throws -> InstanceView {
        try await ServiceError.about(.instance) { try await views(of: [record(id)])[0] }
    }

    /// Every instance of the account, oldest first; those that were terminated lately among them.
    public func list() async throws -> [InstanceView] {
        try await ServiceError.about(.instance) {
            let limit = house.clock.now() + .seconds(-Self.afterlife)
            return try await views(
                of: house.catalog.change { [caller] session in
                    try session.deleteInstances(terminatedBefore: limit)
                    return try session.instances(of: caller.account)
                })
        }
    }

    /// Says that it runs, or that it does not. Its disks stay attached.
    public func set(_ state: InstanceView.State, of id: String) async throws -> InstanceView {
        try await ServiceError.about(.instance) {
            precondition(state != .terminated, "that is terminate(_:)")
            try caller.mayChange(.instance)
            let wanted: InstanceRecord.State = state == .running ? .running : .stopped
            return try await house.lanes.run(id) {
                var record = try await record(id)
                guard record.state != .terminated else { throw Self.ended(id) }
                if wanted == .stopped, try await house.catalog.change({ try $0.settings(ofInstance: id) }).isKeptRunning
                {
                    throw ServiceError(.locked, .instance, "the instance \(id) is protected from being stopped")
                }
                if record.state != wanted {
                    record.state = wanted
                    record.changedAt = house.clock.now()
                    try await write(record)
                }
                return try await views(of: [record])[0]
            }
        }
    }

    /// Protects it from being terminated, or no more.
    public func set(isKept: Bool, of id: String) async throws -> InstanceView {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            return try await house.lanes.run(id) {
                var record = try await record(id)
                guard record.state != .terminated else { throw Self.ended(id) }
                record.isKept = isKept
                try await write(record)
                return try await views(of: [record])[0]
            }
        }
    }

    /// Ends it: its disks are detached, and those that go with it are deleted. Repeating it is harmless.
    public func terminate(_ id: String) async throws -> InstanceView {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            guard try await !record(id).isKept else {
                throw ServiceError(.locked, .instance, "the instance \(id) is protected from being terminated")
            }
            try await end(id)
            return try await show(id)
        }
    }

    /// 1. Record it as terminated.  From here on only forward: the next start does the rest.
    /// 2. Detach its disks, delete those that go with it.
    private func end(_ id: String) async throws {
        try await house.lanes.run(id) {
            var record = try await record(id)
            if record.state != .terminated {
                record.state = .terminated
                record.changedAt = house.clock.now()
                try await write(record)
            }
            Failpoint.hit("instance.terminated")
            try await EndInstance(house: house).run(id)
        }
    }

    // MARK: Records

    func record(_ id: String) async throws -> InstanceRecord {
        try Identifier.instance.check(id, .instance)
        guard let record = try await house.catalog.change({ try $0.instance(id) }), record.account == caller.account
        else { throw Self.noInstance(id) }
        return record
    }

    private func write(_ record: InstanceRecord) async throws {
        try await house.catalog.change { session in _ = try session.update(record) }
        house.announce(record.id)
    }

    func views(of records: [InstanceRecord]) async throws -> [InstanceView] {
        let (attachments, tags) = try await house.catalog.change { [caller] session in
            (try session.volumeAttachments(), try session.tags(ofAll: .instances, in: caller.account))
        }
        let byHost = Dictionary(grouping: attachments, by: \.host)
        return records.map { record in
            let disks = (byHost[record.id] ?? []).map { InstanceView.Disk($0, house) }.sorted { $0.device < $1.device }
            return InstanceView(
                id: record.id, ownerId: record.account, state: InstanceView.State(record.state), zone: record.zone,
                kind: record.kind, imageId: record.imageID, isKept: record.isKept, launchId: record.launchID,
                disks: disks, tags: tags[record.id], launchedAt: record.launchedAt, changedAt: record.changedAt)
        }
    }

    static func noInstance(_ id: String) -> ServiceError {
        ServiceError(.missing, .instance, "there is no instance \(id)")
    }
    static func ended(_ id: String) -> ServiceError {
        ServiceError(.wrongState, .instance, "the instance \(id) was terminated")
    }
}

extension InstanceView.State {
    init(_ state: InstanceRecord.State) {
        self =
            switch state {
            case .running: .running
            case .stopped: .stopped
            case .terminated: .terminated
            }
    }
}

extension InstanceView.Disk {
    init(_ record: AttachmentRecord, _ house: Household) {
        let place = record.place
        self.init(
            volumeId: record.objectID, device: record.device ?? "", goesWithInstance: record.goesWithInstance,
            socket: place.flatMap { house.exports.socket(of: $0) }, attachedAt: record.attachedAt)
    }
}
