internal import ControlPlane

extension EC2Dialect {
    static let tagActions = [
        EC2Action("CreateTags", isChange: true) { call in
            let tags = try TagSpecifications.read(list: call)
            try call.dryRun()
            let resources = try resources(call)
            guard !tags.isEmpty else { throw EC2Failure.missing("tagSet") }
            try await check(resources, call)
            try await call.verbs.tags.set(tags, on: resources)
            return .done
        },
        EC2Action("DeleteTags", isChange: true) { call in
            try call.dryRun()
            let resources = try resources(call)
            let wanted = call.parameters.structures("Tag")
            let tags: [String: String?]? =
                try wanted.isEmpty
                ? nil
                : Dictionary(
                    wanted.map { tag in
                        guard let key = tag["Key"], !key.isEmpty else {
                            throw EC2Failure.invalidValue("Tag key cannot be empty.")
                        }
                        return (key, tag["Value"])
                    }, uniquingKeysWith: { first, _ in first })
            try await check(resources, call)
            try await call.verbs.tags.remove(tags, from: resources)
            return .done
        },
        EC2Action(
            "DescribeTags", isChange: false, lacks: "kinds other than volumes, snapshots, instances and images",
            describeTags),
    ]

    private static func resources(_ call: EC2Call) throws -> [String] {
        let ids = call.parameters.list("ResourceId")
        guard !ids.isEmpty else { throw EC2Failure.missing("resourceIdSet") }
        try TagService.check(objects: ids)
        for id in ids where !["vol-", "snap-", "i-", "ami-"].contains(where: { EC2Identifier.isForm(id, prefix: $0) }) {
            throw EC2Failure("InvalidID", "The ID '\(id)' is not valid")
        }
        return ids
    }

    /// Tells which one is not there, in Amazon's words. What others share can have tags of one's own.
    private static func check(_ resources: [String], _ call: EC2Call) async throws {
        for id in resources {
            if try await call.verbs.bin.holds(id) { continue }
            if id.hasPrefix("vol-") {
                _ = try await volume(id, call)
            } else if id.hasPrefix("i-") {
                _ = try await instance(id, call)
            } else if id.hasPrefix("ami-") {
                _ = try await image(id, call)
            } else {
                _ = try await snapshot(id, call)
            }
        }
    }

    private struct Tagged {
        let resource: String
        let type: String
        let tag: Tag
        /// Tells each from the others, in the order of an answer.
        var key: String { "\(resource)/\(tag.key)" }
    }

    /// What is in the bin has Amazon's own tag besides.
    private static func binned(_ id: String, _ type: String, _ tags: [String: String]?) -> [Tagged] {
        (Tag.all(tags) + [binTag]).map { Tagged(resource: id, type: type, tag: $0) }
    }

    private static let describeTags: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let paging = try Paging(call, ids: nil)
        let filters = try Filters(
            call.parameters, known: ["key", "resource-id", "resource-type", "tag:", "value"])
        let volumes = try await call.verbs.volumes.list().filter { $0.state != .deleting }.flatMap { volume in
            Tag.all(volume.tags).map { Tagged(resource: volume.id, type: "volume", tag: $0) }
        }
        let shared = try await call.verbs.snapshots.sharedWithCaller()
        let snapshots = (try await call.verbs.snapshots.list() + shared).flatMap { snapshot in
            Tag.all(snapshot.allTags).map { Tagged(resource: snapshot.id, type: "snapshot", tag: $0) }
        }
        let instances = try await call.verbs.instances.list().flatMap { instance in
            Tag.all(instance.tags).map { Tagged(resource: instance.id, type: "instance", tag: $0) }
        }
        let images = try await call.verbs.images.list().flatMap { image in
            Tag.all(image.tags).map { Tagged(resource: image.id, type: "image", tag: $0) }
        }
        let bin = try await call.verbs.bin.list()
        var kept = bin.volumes.flatMap { binned($0.object.id, "volume", $0.object.tags) }
        kept += bin.snapshots.flatMap { binned($0.object.id, "snapshot", $0.object.tags) }
        kept += bin.images.flatMap { binned($0.object.id, "image", $0.object.tags) }
        let all = [volumes, snapshots, instances, images, kept].flatMap { $0 }
        let found = try all.sorted { $0.key < $1.key }.filter { one in
            try filters.match(tags: [one.tag]) { name in
                switch name {
                case "key": [one.tag.key]
                case "value": [one.tag.value]
                case "resource-id": [one.resource]
                case "resource-type": [one.type]
                default: []
                }
            }
        }
        let page = paging.page(of: found, call) { $0.key }
        return .elements { writer in
            writer.list("tagSet", page.items) { writer, one in
                writer.add("resourceId", one.resource)
                writer.add("resourceType", one.type)
                writer.add("key", one.tag.key)
                writer.add("value", one.tag.value)
            }
            writer.add("nextToken", page.next)
        }
    }
}
