internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let rootActions = [
        EC2Action(
            "CreateReplaceRootVolumeTask", isChange: true,
            lacks: "VolumeId, VolumeInitializationRate; the state failed-detached: an instance is never without a disk",
            replaceRoot),
        EC2Action("DescribeReplaceRootVolumeTasks", isChange: false, describeRootReplacements),
    ]

    private static let replaceRoot: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let tags = try TagSpecifications.read(call, for: "replace-root-volume-task")
        let id = try instanceID(call)
        var request = ReplaceRootVolume(id, with: try content(call))
        request.deletesOld = try call.parameters.flag("DeleteReplacedRootVolume") ?? false
        request.tags = tags
        request.token = try call.parameters.clientToken().map {
            RequestToken($0, fingerprint: call.parameters.fingerprint(without: ["ClientToken", "DryRun", "Version"]))
        }
        try call.dryRun()
        let instance = try await instance(id, call)
        let made: RootReplacementView
        do { made = try await call.verbs.instances.replaceRoot(request) } catch let error as ServiceError {
            switch (error.code, error.noun, request.content) {
            case (.missing, .snapshot, .snapshot(let snapshot)): throw EC2Identifier.noSnapshot(snapshot)
            case (.missing, .image, .image(let image)): throw EC2Identifier.noImage(image)
            case (.wrongState, .image, .image(let image)): throw EC2Identifier.unavailableImage(image)
            // An id of eight digits has the right form for Amazon, and nobody here has one.
            case (.invalid, .snapshot, .snapshot(let short)) where short.utf8.count == "snap-".utf8.count + 8:
                throw EC2Identifier.noSnapshot(short)
            case (.invalid, .image, .image(let short)) where short.utf8.count == "ami-".utf8.count + 8:
                throw EC2Identifier.noImage(short)
            case (.wrongState, .instance, _) where instance.state != .running:
                throw EC2Failure(
                    "IncorrectInstanceState", "The instance '\(id)' is not in the 'running' state.")
            default: throw error
            }
        }
        // It is mostly done by now. Clients expect to wait for it, and find it so when they look.
        return .elements { writer in
            writer.add("replaceRootVolumeTask") { write(made, state: "pending", into: &$0) }
        }
    }

    private static func content(_ call: EC2Call) throws(EC2Failure) -> ReplaceRootVolume.Content {
        func given(_ name: String) -> String? { call.parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
        if given("VolumeId") != nil {
            throw EC2Failure("UnsupportedOperation", "A root volume is made from a snapshot or an image here.")
        }
        switch (given("SnapshotId"), given("ImageId")) {
        case (nil, nil): return .launch
        case (let snapshot?, nil): return .snapshot(try EC2Identifier.snapshot(snapshot))
        case (nil, let image?):
            guard EC2Identifier.isForm(image, prefix: "ami-") else {
                throw EC2Failure("InvalidAMIID.Malformed", "Invalid id: \"\(image)\"")
            }
            return .image(image)
        case (_?, _?): throw .combination("Specify either SnapshotId or ImageId, and not both.")
        }
    }

    private static let describeRootReplacements: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let ids = call.parameters.list("ReplaceRootVolumeTaskId")
        let paging = try Paging(call, ids: ids.isEmpty ? nil : "replaceRootVolumeTaskIds", atLeast: 1, atMost: 50)
        let filters = try Filters(call.parameters, known: ["instance-id", "tag:", "tag-key", "tag-value"])
        var found = try await call.verbs.instances.rootReplacements().sorted { $0.id < $1.id }
        for id in ids where !found.contains(where: { $0.id == id }) {
            throw EC2Failure(
                "InvalidReplaceRootVolumeTaskId.NotFound", "The root volume replacement task '\(id)' does not exist.")
        }
        if !ids.isEmpty { found = found.filter { ids.contains($0.id) } }
        found = try found.filter { one in
            try filters.match(tags: Tag.all(one.tags)) { $0 == "instance-id" ? [one.instanceId] : [] }
        }
        let page = paging.page(of: found, call) { $0.id }
        return .elements { writer in
            writer.list("replaceRootVolumeTaskSet", page.items) { write($1, state: $1.state.rawValue, into: &$0) }
            writer.add("nextToken", page.next)
        }
    }

    private static func write(_ one: RootReplacementView, state: String, into writer: inout XMLWriter) {
        writer.add("replaceRootVolumeTaskId", one.id)
        writer.add("instanceId", one.instanceId)
        writer.add("taskState", state)
        writer.add("startTime", one.startedAt.description)
        if state != "pending" { writer.add("completeTime", one.endedAt?.description) }
        writer.add(tags: one.tags, evenIfEmpty: false)
        writer.add("imageId", one.imageId)
        writer.add("snapshotId", one.snapshotId)
        writer.add("deleteReplacedRootVolume", one.deletesOld)
    }
}
