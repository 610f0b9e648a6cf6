public import Blocks
internal import Catalog

/// A new disk for an instance to start from, in place of the one it has.
public struct ReplaceRootVolume: Sendable {
    /// What the new disk is made from.
    public enum Content: Equatable, Sendable {
        /// What the instance's first disk was made from.
        case launch
        /// A snapshot of the disk, or of one that it took the place of.
        case snapshot(String)
        /// The disk that instances of this image start from.
        case image(String)
    }

    /// The instance.
    public var instance: String
    /// What the new disk is made from.
    public var content: Content
    /// Is the old disk deleted in the end?
    public var deletesOld = false
    /// In which state the instance must be, and stay until the disks are exchanged: running or stopped.
    public var state = InstanceView.State.running
    /// How large the new disk is to be at least; nil: as the old one and its content are.
    public var size: ByteCount?
    /// Tags of the replacement, by key.
    public var tags: [String: String] = [:]
    /// So that it is done once, however often it is asked for; nil: each request does it.
    public var token: RequestToken?

    /// Makes a request.
    public init(_ instance: String, with content: Content) {
        self.instance = instance
        self.content = content
    }
}

extension InstanceService {
    private static let action = "replace-root"

    /// Exchanges the disk that an instance starts from for a new one, which is as large and as fast as the old one, or
    /// larger, and has its name and its tags. Its clients are sent away and find the new disk at the same socket.
    public func replaceRoot(_ request: ReplaceRootVolume) async throws -> RootReplacementView {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            try TagRules.check(request.tags)
            try TagRules.check(count: request.tags.count, of: "the replacement")
            _ = try await record(request.instance)
            do {
                // First: the instance may be in another state since, and what the disk is made from gone.
                if let used = try await used(request.token) { throw used }
                return try await view(begin(request))
            } catch let used as RequestToken.Used {
                guard let made = try await house.catalog.change({ try $0.rootReplacement(used.object) }) else {
                    throw used.gone
                }
                return try await view(made)
            }
        }
    }

    /// Every replacement of the account's, oldest first; those of instances that are gone, for a week.
    public func rootReplacements() async throws -> [RootReplacementView] {
        try await ServiceError.about(.instance) {
            try await house.catalog.change { [caller] session in
                try session.rootReplacements(of: caller.account).map { one in
                    RootReplacementView(one, tags: try session.tags(of: one.id))
                }
            }
        }
    }

    /// Those of one instance, oldest first.
    public func rootReplacements(of instance: String) async throws -> [RootReplacementView] {
        try await ServiceError.about(.instance) {
            _ = try await record(instance)
            return try await rootReplacements().filter { $0.instanceId == instance }
        }
    }

    private func used(_ token: RequestToken?) async throws -> RequestToken.Used? {
        guard let token else { return nil }
        return try await house.catalog.change { [caller] in try token.used(for: Self.action, by: caller.account, $0) }
    }

    private func view(_ one: RootReplacementRecord) async throws -> RootReplacementView {
        RootReplacementView(one, tags: try await house.catalog.change { try $0.tags(of: one.id) })
    }

    /// Records it and tries it.
    ///
    /// - Returns: how far it is then.
    private func begin(_ request: ReplaceRootVolume) async throws -> RootReplacementRecord {
        let planned = try await plan(request)
        let task = house.newTask(.replaceRoot, about: planned.id, of: caller.account)
        try await house.catalog.change { [caller] session in
            try session.mustHave(account: caller.account)
            try request.token?.take(
                for: Self.action, by: caller.account, making: planned.id, at: planned.startedAt, session)
            if let other = try session.rootReplacements(ofInstance: planned.instanceID).first(where: {
                !$0.state.isFinal
            }) {
                throw ServiceError(
                    .wrongState, .instance,
                    "the disk that \(planned.instanceID) starts from is being replaced already (\(other.id))")
            }
            try session.insert(planned)
            for (key, value) in request.tags { try session.setTag(key, to: value, on: planned.id) }
            try session.insert(task)
        }
        Failpoint.hit("root.recorded")
        await ReplaceRoot(house: house).run(task)
        return try await house.catalog.change { try $0.rootReplacement(planned.id) } ?? planned
    }

    private func plan(_ request: ReplaceRootVolume) async throws -> RootReplacementRecord {
        let instance = try await show(request.instance)
        guard instance.state == request.state else {
            throw ServiceError(
                .wrongState, .instance,
                "the instance \(instance.id) is \(instance.state.rawValue): its disk is replaced while it is "
                    + request.state.rawValue)
        }
        if let size = request.size { try Limits.check(size: size) }
        guard let device = instance.rootDevice, let disk = instance.disks.first(where: { $0.device == device }) else {
            throw ServiceError(
                .wrongState, .instance, "the instance \(instance.id) has no disk to start from, such as /dev/sda1")
        }
        let old = try await house.volumeRecord(disk.volumeId, for: caller)
        let earlier = try await house.catalog.change { try $0.rootReplacements(ofInstance: instance.id) }
            .filter { $0.state == .succeeded }
        // Of a disk that took another one's place, what its first one was made from counts.
        let replaced = earlier.last { $0.newVolume == old.id }
        let launch = replaced.map(\.launchSnapshotID) ?? old.originSnapshot
        let lineage = Set(earlier.map(\.oldVolume) + [old.id])
        let (snapshot, least) = try await content(of: request, instance, launch, lineage)
        var one = RootReplacementRecord(
            id: Identifier.replacement.next(), account: caller.account, instanceID: instance.id, device: device,
            snapshotID: snapshot, size: max(old.size, least, request.size ?? .zero), oldVolume: old.id,
            deletesOld: request.deletesOld,
            startedAt: house.clock.now())
        one.launchSnapshotID = launch
        one.instanceState = request.state == .running ? .running : .stopped
        one.instanceSince = instance.changedAt
        if case .image(let image) = request.content { one.imageID = image }
        return one
    }

    /// The snapshot that the new disk is made from, and how large it is at least.
    private func content(
        of request: ReplaceRootVolume, _ instance: InstanceView, _ launch: String?, _ lineage: Set<String>
    ) async throws -> (snapshot: String, least: ByteCount) {
        let found: SnapshotRecord
        switch request.content {
        case .launch:
            guard let launch else {
                throw ServiceError(
                    .wrongState, .instance,
                    "the disk that \(instance.id) starts from was made from no snapshot: give a snapshot or an image")
            }
            // They may use it through the image that they launched.
            let image = try? await house.launchableImage(instance.imageId, for: caller)
            found = try await house.usableSnapshot(launch, for: caller, through: image?.snapshots ?? [])
        case .snapshot(let id):
            found = try await house.usableSnapshot(id, for: caller)
            guard lineage.contains(found.volumeID) || id == launch else {
                throw ServiceError(
                    .invalid, .snapshot, "the snapshot \(id) is not of the disk that \(instance.id) starts from")
            }
        case .image(let id):
            let image = try await house.usableImage(id, for: caller)
            guard image.image.state == .available, !image.image.isDisabled else {
                throw Household.unavailable(image.image)
            }
            let disk = image.disks.first { $0.device == image.image.rootDevice }
            guard let disk, let snapshot = disk.snapshotID else {
                throw ServiceError(.invalid, .image, "the image \(id) has no disk to start from")
            }
            found = try await house.usableSnapshot(snapshot, for: caller, through: image.snapshots)
            try found.mustHaveContent()
            try found.mustNotBeArchived(at: house.clock.now())
            return (found.id, max(found.volumeSize, disk.size))
        }
        try found.mustHaveContent()
        try found.mustNotBeArchived(at: house.clock.now())
        return (found.id, found.volumeSize)
    }
}
