internal import Blocks
internal import ControlPlane

/// Tags as older clients write and list them: of one object at a time, and counted by what has them.
extension ECSDialect {
    static let olderTagActions = [
        ECSAction("AddTags", isChange: true, addTags),
        ECSAction("RemoveTags", isChange: true, removeTags),
        ECSAction("DescribeTags", isChange: false, describeTags),
    ]

    private static let addTags: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let object = try object(call)
        let tags = try Tags.read(call.parameters, orElse: tooManyTags)
        guard !tags.isEmpty else { throw missingTags }
        do { try await call.verbs.tags.set(tags, on: [object], atMost: Tags.countMax) } catch { throw refusal(error) }
        return ECSFields()
    }

    private static let removeTags: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let object = try object(call)
        // Without a value whatever it has under that key; without any all of them.
        let tags = Dictionary(try Tags.filter(call.parameters).map { ($0.key, $0.value) }) { first, _ in first }
        do { try await call.verbs.tags.remove(tags.isEmpty ? nil : tags, from: [object]) } catch {
            throw refusal(error)
        }
        return ECSFields()
    }

    private static let missingTags = ECSFailure(404, "MissingParameter.Tags", "The parameter - Tags should not be null")
    private static let unknown = ECSFailure(
        404, "InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records.")

    private static func object(_ call: ECSCall) throws(ECSFailure) -> String {
        let kind = try resourceKind(call)
        guard let object = ECSID.native(try call.parameters.needed("ResourceId"), kind) else { throw unknown }
        return object
    }

    private static func refusal(_ error: any Error) -> any Error {
        switch (error as? ServiceError)?.code {
        case .missing: unknown
        case .limitExceeded: ECSFailure.tooManyTags
        default: error
        }
    }

    // MARK: DescribeTags

    /// What `ResourceType` may say, and how a tag's answer counts it.
    private static let kinds: [(type: String, kind: ECSID.Kind, count: String)] = [
        ("instance", .instance, "Instance"), ("disk", .disk, "Disk"), ("image", .image, "Image"),
        ("snapshot", .snapshot, "Snapshot"), ("snapshotpolicy", .policy, "SnapshotPolicy"),
        ("snapshotgroup", .group, "SnapshotGroup"),
    ]

    private struct TagUse: Hashable {
        let key: String
        let value: String
    }

    private static let describeTags: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let kind = try call.parameters["ResourceType"] == nil ? nil : resourceKind(call)
        let object = call.parameters["ResourceId"]
        guard object == nil || kind != nil else {
            throw ECSFailure(
                404, "MissingParameter.ResourceType", "The parameter - ResourceType should not be null")
        }
        let filter = try Tags.filter(call.parameters)
        let pages = try ECSPages(call)
        var uses: [TagUse: [String: Int]] = [:]
        for one in kinds where kind == nil || kind == one.kind {
            for (id, tags) in try await tagged(one.kind, call) {
                guard object == nil || ECSID.name(id, one.kind) == object else { continue }
                for (key, value) in tags ?? [:]
                where filter.isEmpty || filter.contains(where: { $0.key == key && ($0.value ?? value) == value }) {
                    uses[TagUse(key: key, value: value), default: [:]][one.count, default: 0] += 1
                }
            }
        }
        // They were not made at any time: by their words.
        let epoch = WallTime(milliseconds: 0)
        let page = pages.page(of: Array(uses), call) { (epoch, "\($0.key.key) \($0.key.value)") }
        return .of { fields in
            page.write(into: &fields)
            fields.add("Tags", listOf: "Tag", page.items.map { write($0.key, $0.value) })
        }
    }

    private static func write(_ use: TagUse, _ counts: [String: Int]) -> ECSValue {
        ECSFields.of { item in
            item.add("TagKey", use.key)
            item.add("TagValue", use.value)
            item.add(
                "ResourceTypeCount",
                ECSFields.of { for one in kinds { $0.add(one.count, counts[one.count] ?? 0) } }.value)
        }.value
    }
}
