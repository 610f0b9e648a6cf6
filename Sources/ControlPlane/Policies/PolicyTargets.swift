internal import Blocks
internal import Catalog

/// What a policy takes snapshots of, as things are now.
struct PolicyTargets {
    /// A volume, or an instance whose volumes are cut at one instant.
    struct Target: Sendable {
        let id: String
        let volumes: [String]
    }
    /// What becomes of the snapshots of something.
    enum Standing { case managed, unmanaged, gone }

    let session: CatalogSession
    let account: String
    let targets: PolicyPlan.Targets

    /// A backup counts as recent for half a day less than its policy says: a run that came late does not make the next one leave
    /// its targets out, and nothing is without a backup for longer than that and half a day.
    private static let slack = Duration.seconds(43_200)

    /// Those that are there, in the order of their making.
    ///
    /// - Parameter time: of the run: what has a recent backup then is none.
    func all(at time: WallTime) throws -> [Target] {
        if let lacking = targets.lacking { return try all(lacking, at: time) }
        switch targets.kind {
        case .volumes:
            let tags = try session.tags(ofAll: .volumes, in: account), leftOut = try leftOut()
            return try session.volumes(of: account).filter {
                $0.isPresent && $0.state == .available && isTarget($0.id, tags[$0.id]) && !leftOut.contains($0.id)
            }
            .map { Target(id: $0.id, volumes: [$0.id]) }
        case .instances:
            let tags = try session.tags(ofAll: .instances, in: account)
            return try session.instances(of: account)
                .filter { $0.state != .terminated && isTarget($0.id, tags[$0.id]) }
                .map { Target(id: $0.id, volumes: try volumes(of: $0.id)) }
                .filter { !$0.volumes.isEmpty }
        }
    }

    private func all(_ lacking: PolicyPlan.Lacking, at time: WallTime) throws -> [Target] {
        let limit = time + .seconds(-86_400 * lacking.days) + Self.slack
        switch targets.kind {
        case .volumes:
            let tags = try session.tags(ofAll: .volumes, in: account), leftOut = try leftOut()
            let bootVolumes =
                try lacking.excludesBootVolumes
                ? Set(session.volumeAttachments().filter { DeviceName.isBoot($0.device) }.map(\.objectID)) : []
            return try session.volumes(of: account)
                .filter { volume in
                    try volume.isPresent && volume.state == .available && !leftOut.contains(volume.id)
                        && !bootVolumes.contains(volume.id)
                        && !lacking.excludedKinds.contains(volume.kind)
                        && !Self.hasAny(of: lacking.excludedTags, tags[volume.id] ?? [:])
                        && !session.snapshots(of: account, volume: volume.id).contains {
                            Self.isBackup($0, since: limit)
                        }
                }
                .map { Target(id: $0.id, volumes: [$0.id]) }
        case .instances:
            let tags = try session.tags(ofAll: .instances, in: account)
            let covered = try session.images(of: account).filter { $0.createdAt > limit && $0.state != .failed }
            let recent = Set(covered.compactMap(\.sourceInstance))
            return try session.instances(of: account)
                .filter {
                    $0.state != .terminated && !recent.contains($0.id)
                        && !Self.hasAny(of: lacking.excludedTags, tags[$0.id] ?? [:])
                }
                .map { Target(id: $0.id, volumes: try volumes(of: $0.id)) }
                .filter { !$0.volumes.isEmpty }
        }
    }

    /// Volumes of which their owner wants no policy to take any.
    private func leftOut() throws -> Set<String> {
        Set(try session.wishes(ofAllOf: account).filter(\.value.skipsPolicies).keys)
    }

    private static func isBackup(_ snapshot: SnapshotRecord, since limit: WallTime) -> Bool {
        snapshot.isPresent && !snapshot.isOfNoVolume && snapshot.createdAt > limit
            && (snapshot.state == .pending || snapshot.state == .completed)
    }

    /// How the snapshots that were taken for `id` are to be treated.
    func standing(of id: String) throws -> Standing {
        switch targets.kind {
        case .volumes:
            guard let volume = try session.volume(id), volume.isPresent, volume.state != .deleting else { return .gone }
        case .instances:
            guard let instance = try session.instance(id), instance.state != .terminated else { return .gone }
        }
        if targets.lacking != nil { return .managed }
        return isTarget(id, try session.tags(of: id)) ? .managed : .unmanaged
    }

    private func isTarget(_ id: String, _ tags: [String: String]?) -> Bool {
        targets.ids.contains(id) || Self.hasAny(of: targets.tags, tags ?? [:])
    }

    private static func hasAny(of wanted: [PolicyPlan.Tag], _ tags: [String: String]) -> Bool {
        wanted.contains { tags[$0.key] == $0.value }
    }

    private func volumes(of instance: String) throws -> [String] {
        try session.volumeAttachments(to: instance)
            .filter { attachment in
                if DeviceName.isBoot(attachment.device) { return !targets.excludesBootVolume }
                return try targets.excludedTags.isEmpty
                    || !Self.hasAny(of: targets.excludedTags, session.tags(of: attachment.objectID))
            }
            .map(\.objectID)
            .filter { try session.volume($0)?.state == .available && !session.wishes(ofVolume: $0).skipsPolicies }
    }
}
