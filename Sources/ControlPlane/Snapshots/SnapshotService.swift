internal import Blocks
internal import Catalog
internal import Repository

/// What a new snapshot is called.
public struct CreateSnapshot: Sendable {
    /// The volume.
    public var volume: String
    /// 1 to 128 printable characters, or nil.
    public var name: String?
    /// At most 1024 printable characters, or nil.
    public var description: String?
    /// Tags by key.
    public var tags: [String: String] = [:]
    /// When it is to be deleted by itself; nil: never.
    public var release: SnapshotRelease?
    /// Is it to be told to be available from its cut on? It can be used from then on in any case.
    public var hasInstantAccess = false
    /// What the cloud that is asked wants of the volume.
    public var terms = SnapshotTerms()
    /// The resource group that it is to be in; nil: none.
    public var resourceGroup: String?
    /// How its hosts come to rest while it is cut; nil: they do not.
    public var quiesce: Quiesce?
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?

    /// Makes a request.
    public init(
        volume: String, name: String? = nil, description: String? = nil, tags: [String: String] = [:]
    ) {
        self.volume = volume
        self.tags = tags
        self.name = name
        self.description = description
    }
}

/// The verbs on snapshots. Every error is a ``ServiceError``.
///
/// Methods may be called from any task, at once for different snapshots.
public struct SnapshotService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Fixes the volume's content at one instant during the call; the upload goes on afterwards.
    public func create(_ request: CreateSnapshot) async throws -> SnapshotView {
        var order = TakeSnapshot.Order(
            volumes: [request.volume], name: request.name, description: request.description, tags: request.tags,
            release: request.release)
        order.terms = request.terms
        order.token = request.token
        order.resourceGroup = request.resourceGroup
        order.hasInstantAccess = request.hasInstantAccess
        order.quiesce = request.quiesce
        guard let made = try await take(order).first else { preconditionFailure("one volume, one snapshot") }
        return made
    }

    /// Fixes the content of several volumes at the same instant. Answers in the order of `volumes`.
    ///
    /// - Parameters:
    ///   - tags: of each snapshot.
    ///   - tagsByVolume: besides, of those of some volumes.
    ///   - release: when each is to be deleted by itself; nil: never.
    ///   - terms: what a cloud asks of each volume besides.
    ///   - groupTags: of the group itself.
    ///   - resourceGroup: that each, and the group, is to be in; nil: none.
    ///   - token: so that it is made once, however often it is asked for; then the first of them is answered.
    ///   - quiesce: how their hosts come to rest while they are cut; nil: they do not.
    public func createGroup(
        of volumes: [String], name: String?, description: String?, tags: [String: String] = [:],
        tagsByVolume: [String: [String: String]] = [:], release: SnapshotRelease? = nil,
        terms: SnapshotTerms = SnapshotTerms(), groupTags: [String: String] = [:], resourceGroup: String? = nil,
        token: RequestToken? = nil, quiesce: Quiesce? = nil
    ) async throws -> [SnapshotView] {
        guard !volumes.isEmpty, volumes.count <= Limits.groupMax else {
            throw ServiceError(
                .invalid, .snapshot, "a group has \(volumes.count) volumes: 1 to \(Limits.groupMax) are allowed")
        }
        guard Set(volumes).count == volumes.count else {
            throw ServiceError(.invalid, .snapshot, "a volume is named twice in the group")
        }
        var order = TakeSnapshot.Order(
            volumes: volumes, name: name, description: description, group: Identifier.group.next(), tags: tags,
            tagsByVolume: tagsByVolume, release: release, terms: terms)
        order.groupTags = groupTags
        order.resourceGroup = resourceGroup
        order.token = token
        order.action = TakeSnapshot.groupAction
        order.quiesce = quiesce
        return try await take(order)
    }

    private func take(_ order: TakeSnapshot.Order) async throws -> [SnapshotView] {
        try await ServiceError.about(.snapshot) {
            do { return try await takeNew(order) } catch let used as RequestToken.Used {
                guard let made = try await house.catalog.change({ try $0.snapshot(used.object) }), made.isPresent
                else { throw used.gone }
                // Whoever asked first may yet be told that it could not be made.
                try made.mustBeCut()
                return [try await view(used.object)]
            }
        }
    }

    private func takeNew(_ order: TakeSnapshot.Order) async throws -> [SnapshotView] {
        try caller.mayChange(.snapshot)
        // First: the volume may be gone, or busy, since it was made.
        let (token, action) = (order.token, order.action)
        if let used = try await house.catalog.change({ [caller] session in
            try token?.used(for: action, by: caller.account, session)
        }) {
            throw used
        }
        try Limits.check(name: order.name, .snapshot)
        try Limits.check(description: order.description, .snapshot)
        try ResourceGroupService.check(order.resourceGroup)
        try TagRules.check(order.groupTags)
        try TagRules.check(count: order.groupTags.count, of: "the group")
        try order.quiesce?.check(.snapshot)
        try order.release?.check(madeAt: house.clock.now(), at: house.clock.now())
        for id in order.volumes {
            let tags = order.tags(ofVolume: id)
            try TagRules.check(tags)
            try TagRules.check(count: tags.count, of: "the snapshot")
            _ = try await house.volumeRecord(id, for: caller)
        }
        var order = order
        order.isLimited = true
        order.isRated = true
        let wanted = order
        let taken = try await TakeSnapshot(house: house).begin(wanted)
        if order.release != nil { house.releases.lookSoon() }
        return taken.map { record in
            var view = SnapshotView([:], record, nil, house)
            let tags = order.tags(ofVolume: record.volumeID)
            view.tags = tags.isEmpty ? nil : tags
            return view
        }
    }

    /// One snapshot, of the account or shared with it.
    public func show(_ id: String) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            var view = try await view(id)
            if view.state == .completed, view.ownerId == caller.account {
                view.exclusiveBytes = await exclusiveBytes(of: id)
            }
            let damage = try await house.catalog.change { try $0.damage(of: id) }
            view.damage = damage.map { SnapshotDamageView($0, size: view.volumeSizeBytes, all: true) }
            if view.ownerId != caller.account { view.damage?.problems = [] }
            return view
        }
    }

    /// One snapshot as a list has it, without what only the store can tell.
    public func find(_ id: String) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) { try await view(id) }
    }

    private func view(_ id: String) async throws -> SnapshotView {
        let courses = house.courses
        let record = try await house.usableSnapshot(id, for: caller)
        let (export, tags, shares, lock, made) = try await house.catalog.change { [caller] session in
            (
                try session.snapshotExport(id),
                record.account == caller.account
                    ? try session.tags(of: id) : try session.shareeTags(of: id, by: caller.account),
                try session.shares(of: id),
                try session.lock(of: id), try session.policySnapshot(id)
            )
        }
        var view = SnapshotView(courses, record, export, house)
        guard record.account == caller.account else {
            view = view.seenByOthers
            view.tags = tags.isEmpty ? nil : tags
            view.sharing = SnapshotSharing(shares.filter { [caller.account, ShareRecord.everybody].contains($0) })
            return view
        }
        view.tags = tags.isEmpty ? nil : tags
        view.sharing = SnapshotSharing(shares)
        view.policy = made.map { SnapshotPolicyView($0) }
        view.lock = lock.map { SnapshotLockView($0, at: house.clock.now()) }
        return view
    }

    /// Nil when the store does not answer.
    private func exclusiveBytes(of id: String) async -> Int? {
        try? await house.remote.run { [house] in
            try house.door.repository().exclusiveBytes()[StoreDoor.id(id)]?.bytes
        }
    }

    /// Every snapshot of the account, or those of one volume (which may be gone), oldest first.
    public func list(of volume: String? = nil) async throws -> [SnapshotView] {
        try await ServiceError.about(.snapshot) {
            if let volume { try Identifier.volume.check(volume, .volume) }
            var selection = SnapshotSelection()
            selection.owners = [caller.account]
            selection.volumes = volume.map { [$0] }
            return try await all(selection).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
    }

    /// Returns when the snapshot is completed; throws when it ends otherwise. Cancelling the task stops the waiting,
    /// not the snapshot.
    public func wait(for id: String) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            for await _ in house.bulletin.changes(of: id) {
                let view = try await view(id)
                switch view.state {
                case .pending: continue
                case .completed: return view
                case .error:
                    throw ServiceError(
                        .wrongState, .snapshot, "the snapshot \(id) failed: \(view.reason ?? "unknown reason")")
                }
            }
            throw ServiceError(.unavailable, .snapshot, "the waiting for \(id) was cut short: the server is stopping")
        }
    }

    /// Every change of one snapshot's view, starting with the present one, until it is completed, failed or gone.
    /// For progress bars and server-sent events; slow readers miss steps, never the last.
    public func watch(_ id: String) async throws -> AsyncStream<SnapshotView> {
        _ = try await ServiceError.about(.snapshot) { try await view(id) }
        let (stream, reader) = AsyncStream.makeStream(of: SnapshotView.self, bufferingPolicy: .bufferingNewest(1))
        let service = self
        let task = Task {
            for await _ in service.house.bulletin.changes(of: id) {
                guard let view = try? await service.view(id) else { break }
                reader.yield(view)
                if view.state != .pending { break }
            }
            reader.finish()
        }
        reader.onTermination = { _ in task.cancel() }
        return stream
    }

    /// Deletes it: a pending one is cancelled, of a completed one the space is freed by a later reclaim. Any snapshot
    /// may be deleted at any time, in any order; an export of it ends. For the caller it is gone when the call
    /// returns; what pending snapshots or restores still need of it goes when they are done.
    public func delete(_ id: String) async throws {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            try await DeleteSnapshot(house: house).begin(id)
        }
    }
}
