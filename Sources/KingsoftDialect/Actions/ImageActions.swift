internal import ControlPlane

extension KingsoftDialect {
    static let imageActions: [KingsoftAction] = [
        .change(
            .kec, "CreateImage",
            lacks: "names of at least 3 letters and digits of English, each once; LocalImage is stored like the other",
            createImage),
        .look(.kec, "DescribeImages", knows: ["ImageId", "ImageType"]) { call in
            let ids = call.parameters.list("ImageId").map { $0.lowercased() }
            let type = try call.parameters.word("ImageType", of: ImageWords.types)
            let images = try await call.verbs.images.list().filter { image in
                (type ?? ImageWords.type) == ImageWords.type
                    && (ids.isEmpty || KingsoftID.uuid(image.id, .image).map { ids.contains($0) } == true)
            }
            return .with { fields in
                fields.add("ImagesSet", images.compactMap { ImageWords.fields($0, for: call.caller.account) })
            }
        },
        .change(.kec, "RemoveImages", removeImages),
        .change(
            .kec, "ModifyImageAttribute", lacks: "OsVersion and CloudInitSupport are ignored; names as CreateImage's"
        ) { call in
            let image = try await ownImage(uuid: call.parameters.required("ImageId"), call)
            let name = call.parameters["Name"]
            if let name { try imageName("Name", name) }
            _ = try call.parameters.flag("CloudInitSupport")
            try call.dryRun()
            if let name { _ = try await named("Name") { try await call.verbs.images.rename(image.id, to: name) } }
            return .done
        },
        .change(.kec, "ModifyImageSharePermission", shareImage),
        .look(.kec, "DescribeImageSharePermission", knows: ["ImageId"]) { call in
            let image = try await image(uuid: call.parameters.required("ImageId"), call)
            return .with { fields in
                fields.add(
                    "SharePermissionSet",
                    (image.sharing?.accounts ?? []).map { account in
                        .with { $0.add("AccountId", account) }
                    })
            }
        },
    ]

    private static let createImage: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let name = try call.parameters.required("Name")
        try imageName("Name", name)
        _ = try call.parameters.word("Type", of: ImageWords.types)
        let snapshots = call.parameters.list("SnapshotIds")
        guard call.parameters["InstanceId"] == nil else {
            guard snapshots.isEmpty else { throw KingsoftFailure.wrong("SnapshotIds", "Either these or InstanceId.") }
            return try await createImage(named: name, of: try await call.instance(), call)
        }
        guard !snapshots.isEmpty else { throw KingsoftFailure.required("InstanceId") }
        return try await createImage(named: name, from: snapshots, call)
    }

    private static func createImage(
        named name: String, of instance: InstanceView, _ call: KingsoftCall
    ) async throws -> KingsoftFields {
        guard !instance.disks.isEmpty else {
            throw KingsoftFailure(.instanceStatusError, "The instance has no disk that an image could be made of.")
        }
        var request = NewImageOfInstance(ImageNames(name), of: instance.id)
        let wanted = call.parameters.list("DataDiskIds").map { $0.lowercased() }
        if !wanted.isEmpty {
            request.leavingOut = dataDisks(of: instance)
                .filter { !wanted.contains(KingsoftID.uuid($0.volumeId, .volume) ?? "") }.map(\.device)
        }
        try call.dryRun()
        return try await made { try await call.verbs.images.create(request) }
    }

    /// The first of the snapshots that was taken of a disk that an instance starts from is the system's; without one, the first.
    private static func createImage(
        named name: String, from uuids: [String], _ call: KingsoftCall
    ) async throws -> KingsoftFields {
        guard uuids.count <= dataDisksMax + 1 else {
            throw KingsoftFailure.wrong("SnapshotIds", "At most \(dataDisksMax + 1) are allowed.")
        }
        let around = try await VolumeSurroundings(call)
        var snapshots: [SnapshotView] = []
        for uuid in uuids {
            guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
            let snapshot = try await call.verbs.snapshots.find(id)
            guard snapshot.ownerId == call.caller.account else { throw KingsoftFailure.noSnapshot }
            snapshots.append(snapshot)
        }
        let systems = snapshots.filter { around.category($0.volumeId) == "system" }
        guard systems.count <= 1, let system = systems.first ?? snapshots.first else {
            throw KingsoftFailure.wrong("SnapshotIds", "Exactly one of a system disk is allowed.")
        }
        let letters = Array("bcdefghijk")
        let data = snapshots.filter { $0.id != system.id }.enumerated().map { index, snapshot in
            NewImage.Disk("/dev/sd\(letters[index])", snapshot: snapshot.id)
        }
        let root = NewImage.Disk("/dev/sda1", snapshot: system.id)
        try call.dryRun()
        return try await made {
            try await call.verbs.images.register(
                NewImage(ImageNames(name), rootDevice: root.device, disks: [root] + data))
        }
    }

    private static func made(_ body: () async throws -> ImageView) async throws -> KingsoftFields {
        let image = try await named("Name", body)
        return .with { $0.add("ImageId", KingsoftID.uuid(image.id, .image)) }
    }

    /// Refuses a name that this cloud or the house does not have for images.
    static func imageName(_ parameter: String, _ text: String) throws(KingsoftFailure) {
        guard ImageNames.isName(try Names.wide(parameter, text, lengths: 2...64)) else {
            throw .wrong(parameter, "It has 3 to 64 letters and digits of English, - and _.")
        }
    }

    /// What the house says of a name that another image has is about the parameter.
    static func named(_ parameter: String, _ body: () async throws -> ImageView) async throws -> ImageView {
        do { return try await body() } catch let error as ServiceError
            where error.code == .inUse && error.noun == .image
        {
            throw KingsoftFailure.wrong(parameter, "Another image is called so.")
        }
    }

    private static let removeImages: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let uuids = call.parameters.list("ImageId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("ImageId") }
        var ids: [String] = []
        for uuid in uuids { ids.append(try await ownImage(uuid: uuid, call).id) }
        try call.dryRun()
        var results: [KingsoftFields] = []
        for id in ids {
            _ = try await call.verbs.images.deregister(id)
            results.append(
                .with { one in
                    one.add("ImageId", KingsoftID.uuid(id, .image))
                    one.add("Return", true)
                })
        }
        return .with { $0.add("ReturnSet", results) }
    }

    private static let shareImage: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let image = try await ownImage(uuid: call.parameters.required("ImageId"), call)
        let accounts = call.parameters.list("AccountId")
        guard !accounts.isEmpty else { throw KingsoftFailure.required("AccountId") }
        guard let word = try call.parameters.word("Permission", of: ["share", "cancel"]) else {
            throw KingsoftFailure.required("Permission")
        }
        try call.dryRun()
        let change = word == "share" ? SharingChange(adding: accounts) : SharingChange(removing: accounts)
        _ = try await call.verbs.images.share(image.id, change)
        return .done
    }

    private static func image(uuid: String, _ call: KingsoftCall) async throws -> ImageView {
        guard let id = KingsoftID.id(uuid, .image) else { throw KingsoftFailure.noImage }
        return try await call.verbs.images.show(id)
    }

    private static func ownImage(uuid: String, _ call: KingsoftCall) async throws -> ImageView {
        let image = try await image(uuid: uuid, call)
        guard image.ownerId == call.caller.account else { throw KingsoftFailure.noImage }
        return image
    }
}
