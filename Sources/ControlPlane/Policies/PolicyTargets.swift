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

    private static let bootDevices = ["/dev/sda", "/dev/sda1", "/dev/xvda", "/dev/xvda1"]

    /// Those that are there, in the order of their making.
    func all() throws -> [Target] {
        switch targets.kind {
        case .volumes:
            let tags = try session.tags(ofAll: .volumes, in: account)
            return try session.volumes(of: account).filter {
                $0.isPresent && $0.state == .available && isTarget($0.id, tags[$0.id])
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

    /// How the snapshots that were taken for `id` are to be treated.
    func standing(of id: String) throws -> Standing {
        switch targets.kind {
        case .volumes:
            guard let volume = try session.volume(id), volume.isPresent, volume.state != .deleting else { return .gone }
        case .instances:
            guard let instance = try session.instance(id), instance.state != .terminated else { return .gone }
        }
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
                if Self.bootDevices.contains(attachment.device ?? "") { return !targets.excludesBootVolume }
                return try targets.excludedTags.isEmpty
                    || !Self.hasAny(of: targets.excludedTags, session.tags(of: attachment.objectID))
            }
            .map(\.objectID)
            .filter { try session.volume($0)?.state == .available }
    }
}
