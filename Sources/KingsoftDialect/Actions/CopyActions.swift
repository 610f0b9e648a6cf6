internal import ControlPlane

/// Copies in other regions. Each has its own id there, which this cloud does not tell: clients find it by its name.
extension KingsoftDialect {
    static let copyActions: [KingsoftAction] = [
        .change(
            .kec, "CopySnapshot", lacks: "of snapshots of EBS volumes alone; at most 10 to 10 regions", copySnapshots),
        .change(.kec, "CopyImage", lacks: "at most 10 to 10 regions; the name is checked as CreateImage's", copyImages),
    ]

    private static let copiesMax = 10

    /// The named regions, each once.
    private static func destinations(_ call: KingsoftCall) throws(KingsoftFailure) -> [Verbs] {
        let names = call.parameters.list("DestinationRegion")
        guard !names.isEmpty else { throw .required("DestinationRegion") }
        guard names.count <= copiesMax, Set(names).count == names.count else {
            throw .wrong("DestinationRegion", "At most \(copiesMax) are allowed, each once.")
        }
        var verbs: [Verbs] = []
        for name in names {
            guard name != call.region.name, let one = call.verbsIn(name) else {
                throw .wrong("DestinationRegion", "\(name.shortened) is no other region of this server.")
            }
            verbs.append(one)
        }
        return verbs
    }

    private static let copySnapshots: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let uuids = call.parameters.list("SnapshotId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("SnapshotId") }
        guard uuids.count <= copiesMax else {
            throw KingsoftFailure.wrong("SnapshotId", "At most \(copiesMax) are allowed.")
        }
        let destinations = try destinations(call)
        let name = try Names.snapshot(call, "DestinationSnapshotName")
        let description = try Names.description("DestinationSnapshotDesc", call)
        var requests: [CopySnapshot] = []
        for uuid in uuids {
            guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
            let snapshot = try await call.verbs.snapshots.find(id)
            guard snapshot.state == .completed else {
                throw KingsoftFailure(
                    .snapshotStatusError, "The snapshot \(uuid.lowercased()) is still being stored: try again later.")
            }
            requests.append(
                CopySnapshot(id, from: call.region.name, name: name ?? snapshot.name, description: description))
        }
        try call.dryRun()
        for verbs in destinations {
            for request in requests { _ = try await verbs.snapshots.copy(request) }
        }
        return .done
    }

    private static let copyImages: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let uuids = call.parameters.list("ImageId"), asked = call.parameters["DestinationImageName"]
        guard !uuids.isEmpty else { throw KingsoftFailure.required("ImageId") }
        guard uuids.count <= copiesMax, uuids.count == 1 || asked == nil else {
            throw KingsoftFailure.wrong(
                "ImageId", "At most \(copiesMax) are allowed, and one with a name for its copy.")
        }
        let destinations = try destinations(call)
        if let asked { try imageName("DestinationImageName", asked) }
        var requests: [CopyImage] = []
        for uuid in uuids {
            guard let id = KingsoftID.id(uuid, .image) else { throw KingsoftFailure.noImage }
            let image = try await call.verbs.images.show(id)
            requests.append(CopyImage(ImageNames(asked ?? image.name), of: id, in: call.region.name))
        }
        try call.dryRun()
        for verbs in destinations {
            for request in requests {
                _ = try await named("DestinationImageName") { try await verbs.images.copy(request) }
            }
        }
        return .with { fields in
            fields.add("Return", true)
            fields.add("Message", "")
        }
    }
}
