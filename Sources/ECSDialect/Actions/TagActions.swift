internal import ControlPlane

extension ECSDialect {
    static let tagActions = [
        ECSAction("TagResources", isChange: true, tagResources),
        ECSAction("UntagResources", isChange: true, untagResources),
        ECSAction("ListTagResources", isChange: false, listTagResources),
    ]

    /// What `ResourceType` names.
    static func resourceKind(_ call: ECSCall) throws(ECSFailure) -> ECSID.Kind {
        switch call.parameters["ResourceType"] {
        case nil: throw noType
        case "disk": return .disk
        case "snapshot": return .snapshot
        case "snapshotgroup": return .group
        case "image": return .image
        case "instance": return .instance
        case "snapshotpolicy": return .policy
        default:
            throw ECSFailure(
                404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records.")
        }
    }

    private static let noType = ECSFailure(
        404, "MissingParameter.ResourceType", "The parameter - ResourceType should not be null")
    private static let noTags = ECSFailure(
        404, "MissingParameter.Tags", "The parameter - Tags should not be null")
    static let tooManyTags = ECSFailure(
        400, "NumberExceed.Tags", "The Tags parameter's number is exceed , Valid : \(Tags.countMax)")
    private static let objectsMax = 50

    private static func names(_ call: ECSCall) throws(ECSFailure) -> [String] {
        let names = call.parameters.list("ResourceId")
        guard names.count <= objectsMax else {
            throw ECSFailure(
                400, "NumberExceed.ResourceIds", "The ResourceIds parameter's number is exceed , Valid : \(objectsMax)")
        }
        return names
    }

    private static let unknown = ECSFailure(
        404, "InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records.")

    /// The control plane's ids of what `ResourceId.N` names.
    private static func objects(_ kind: ECSID.Kind, _ call: ECSCall) throws(ECSFailure) -> [String] {
        let names = try names(call)
        guard !names.isEmpty else { throw .missing("ResourceId") }
        let objects = names.compactMap { ECSID.native($0, kind) }
        guard objects.count == names.count else { throw unknown }
        return objects
    }

    private static let tagResources: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let objects = try objects(try resourceKind(call), call)
        let tags = try Tags.read(call.parameters, orElse: tooManyTags)
        guard !tags.isEmpty else { throw noTags }
        do { try await call.verbs.tags.set(tags, on: objects, atMost: Tags.countMax) } catch let error as ServiceError {
            switch error.code {
            case .missing: throw unknown
            case .limitExceeded:
                throw ECSFailure(
                    400, "OperationDenied.QuotaExceed", "The quota of tags on resource is beyond permitted range.")
            default: throw error
            }
        }
        return ECSFields()
    }

    private static let untagResources: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let objects = try objects(try resourceKind(call), call)
        let keys = call.parameters.list("TagKey")
        let all = try call.parameters.flag("All") ?? false
        guard !keys.isEmpty || all else { throw noTags }
        guard keys.count <= Tags.countMax else { throw tooManyTags }
        let removed: [String: String?]? =
            keys.isEmpty ? nil : Dictionary(keys.map { ($0, nil) }) { first, _ in first }
        do { try await call.verbs.tags.remove(removed, from: objects) } catch let error as ServiceError {
            guard error.code == .missing else { throw error }
            throw unknown
        }
        return ECSFields()
    }

    private static let listTagResources: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let kind = try resourceKind(call)
        let wanted = Set(try names(call))
        let filter = try Tags.filter(call.parameters)
        var rows: [ECSValue] = []
        for (id, tags) in try await tagged(kind, call) {
            guard let name = ECSID.name(id, kind), wanted.isEmpty || wanted.contains(name), Tags.match(tags, filter)
            else { continue }
            for (key, value) in (tags ?? [:]).sorted(by: { $0.key < $1.key }) {
                rows.append(
                    ECSFields.of {
                        $0.add("ResourceType", call.parameters["ResourceType"])
                        $0.add("ResourceId", name)
                        $0.add("TagKey", key)
                        $0.add("TagValue", value)
                    }.value)
            }
        }
        return .of { fields in
            fields.add("NextToken", "")
            fields.add("TagResources", listOf: "TagResource", rows)
        }
    }

    /// All objects of a kind that the caller may see, with their tags.
    static func tagged(_ kind: ECSID.Kind, _ call: ECSCall) async throws -> [(String, [String: String]?)] {
        switch kind {
        case .disk: try await call.verbs.volumes.list().map { ($0.id, $0.tags) }
        case .snapshot: try await call.verbs.snapshots.list().map { ($0.id, $0.tags) }
        case .instance: try await call.verbs.instances.list().map { ($0.id, $0.tags) }
        case .image: try await call.verbs.images.list().map { ($0.id, $0.tags) }
        case .policy: try await call.verbs.policies.outlines().map { ($0.id, $0.tags) }
        case .group: try await snapshotGroups(call).map { ($0.id, $0.tags) }
        case .chain, .task: []
        }
    }
}
