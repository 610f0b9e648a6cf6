internal import ControlPlane

/// Tags of volumes and instances as Terraform writes them, by a service of its own that has two names.
extension KingsoftDialect {
    static let tagActions: [KingsoftAction] = [.tag, .tagv2].map { service in
        .change(service, "ReplaceResourcesTags", lacks: "TagIds: tags have no ids here", replaceTags)
    }

    /// What the types of resources are called that have tags here.
    private static let kinds: [(name: String, kind: KingsoftID.Kind)] = [
        ("volume", .volume), ("ebs", .volume), ("snapshot", .snapshot), ("kec-instance", .instance),
        ("instance", .instance), ("image", .image), ("kec-image", .image),
    ]

    private static let replaceTags: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let names = kinds.map(\.name)
        guard let type = try call.parameters.word("ResourceType", of: names),
            let kind = kinds.first(where: { $0.name == type })?.kind
        else { throw KingsoftFailure.required("ResourceType") }
        let groups = call.parameters.structures("ReplaceTags")
        guard !groups.isEmpty else { throw KingsoftFailure.required("ReplaceTags") }
        let tags = try numbered(call.parameters)
        var wanted: [(ids: [String], tags: [String: String])] = []
        for group in groups {
            guard group["TagIds"] == nil else { throw KingsoftFailure.wrong("ReplaceTags", "Tags have no ids here.") }
            let uuids = try group.required("ResourceUuids").split(separator: ",").map(String.init)
            let own = try numbered(group)
            wanted.append((try await ids(of: uuids, kind, call), own.isEmpty ? tags : own))
        }
        try call.dryRun()
        for one in wanted { try await call.verbs.tags.replace(with: one.tags, on: one.ids) }
        return .with { $0.add("Result", true) }
    }

    private static func ids(
        of uuids: [String], _ kind: KingsoftID.Kind, _ call: KingsoftCall
    ) async throws -> [String] {
        guard (1...100).contains(uuids.count) else {
            throw KingsoftFailure.wrong("ReplaceTags", "1 to 100 resources are allowed.")
        }
        var ids: [String] = []
        for uuid in uuids {
            switch kind {
            case .volume: ids.append(try await call.volume(uuid: uuid).id)
            case .instance: ids.append(try await call.instance(uuid: uuid).id)
            case .snapshot:
                guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
                ids.append(try await call.verbs.snapshots.find(id).id)
            case .image, .policy:
                guard let id = KingsoftID.id(uuid, .image) else { throw KingsoftFailure.noImage }
                ids.append(try await call.verbs.images.show(id).id)
            }
        }
        return ids
    }

    /// `Tag_1_Key` and `Tag_1_Value`, with any numbers.
    private static func numbered(_ parameters: KingsoftParameters) throws(KingsoftFailure) -> [String: String] {
        var tags: [String: String] = [:]
        for name in parameters.names where name.hasPrefix("Tag_") && name.hasSuffix("_Key") {
            guard let key = parameters[name] else { continue }
            let value = parameters[name.dropLast(3) + "Value"] ?? ""
            guard tags.updateValue(value, forKey: key) == nil else {
                throw .wrong(name, "The key \(key.shortened) is there twice.")
            }
        }
        return tags
    }
}
