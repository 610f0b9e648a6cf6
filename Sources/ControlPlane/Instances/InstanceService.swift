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

    /// For how many seconds a terminated one is still shown.
    private static let afterlife = 3600

    /// Makes instances, running, with their disks. If a disk cannot be made none of them stays; if the server stops before the
    /// last one is there, the next start takes all of them away. By a token that is still being served it is refused as
    /// unavailable: to be asked again.
    public func launch(_ request: NewInstances) async throws -> [InstanceView] {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            do {
                return try await views(of: try await LaunchInstances(house: house, caller: caller).run(request))
            } catch let used as RequestToken.Used { return try await made(by: used) }
        }
    }

    /// As they are now; those that were terminated among them, while they are shown at all.
    private func made(by used: RequestToken.Used) async throws -> [InstanceView] {
        let (records, isUnderWay) = try await house.catalog.change { [caller] session in
            (
                try session.instances(of: caller.account).filter { $0.launchID == used.object },
                try !session.unfinishedTasks(ofSubject: used.object).isEmpty
            )
        }
        guard !isUnderWay else {
            throw ServiceError(
                .unavailable, .instance,
                "the instances of the token \(used.token.quotable) are still being made, or taken away: ask again")
        }
        guard !records.isEmpty else { throw used.gone }
        return try await views(of: records)
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
            _ = try await record(id)
            try await EndInstance(house: house).begin(id)
            return try await show(id)
        }
    }

    /// Changes what a dialect keeps with an instance for its own answers, in one step; if `body` throws, nothing.
    public func keep(
        _ id: String, by body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws -> InstanceView {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            _ = try await record(id)
            try await house.catalog.change { session in
                guard try session.instance(id) != nil else { throw Self.noInstance(id) }
                var kept = try session.keepsakes(ofInstance: id)
                try body(&kept)
                try session.set(keepsakes: kept, ofInstance: id)
            }
            house.announce(id)
            return try await show(id)
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
        let (attachments, tags, keepsakes) = try await house.catalog.change { [caller] session in
            (
                try session.volumeAttachments(of: caller.account),
                try session.tags(ofAll: .instances, in: caller.account),
                try session.keepsakes(ofInstancesOf: caller.account)
            )
        }
        let byHost = Dictionary(grouping: attachments, by: \.host)
        return records.map { record in
            let disks = (byHost[record.id] ?? []).map { InstanceView.Disk($0, house) }.sorted { $0.device < $1.device }
            return InstanceView(
                id: record.id, ownerId: record.account, state: InstanceView.State(record.state), zone: record.zone,
                kind: record.kind, imageId: record.imageID, isKept: record.isKept, launchId: record.launchID,
                disks: disks, tags: tags[record.id], keepsakes: keepsakes[record.id], launchedAt: record.launchedAt,
                changedAt: record.changedAt)
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
