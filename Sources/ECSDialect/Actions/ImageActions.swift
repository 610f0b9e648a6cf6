internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let imageActions = [
        ECSAction(
            "CreateImage", isChange: true,
            lacks:
                "only completed snapshots; ImageFamily, ImageVersion, Platform and Architecture are ignored",
            createImage),
        ECSAction(
            "DescribeImages", isChange: false, lacks: "ImageFamily, filters and the cloud's own images", describeImages),
        ECSAction("DeleteImage", isChange: true, deleteImage),
    ]

    // MARK: CreateImage

    private static let createImage: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let name = try imageName(parameters)
        var names = ImageNames(name, description: try Names.description(parameters))
        names.tags = try Tags.read(parameters)
        names.resourceGroup = try ResourceGroups.wanted(call)
        let token = try token(call)
        do {
            let made =
                try await parameters["InstanceId"] != nil
                ? ofInstance(names, token, call) : call.verbs.images.register(snapshots(names, token, call))
            return .of { $0.add("ImageId", ECSID.name(made.id, .image)) }
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.inUse, .image):
                throw ECSFailure(
                    400, "InvalidImageName.Duplicated", "The specified Image name has already bean used.")
            case (.wrongState, .snapshot): throw notReady
            case (.invalid, .token), (.missing, .token):
                throw ECSFailure(
                    400, "IdempotenceParamNotMatch",
                    "Request uses a client token in a previous request but is not identical to that request.")
            case (.wrongState, .instance):
                throw ECSFailure(
                    400, "IncorrectInstanceStatus",
                    "The current status of the instance does not support this operation.",
                    logged: error.description)
            case (.limitExceeded, .image): throw ECSFailure(403, "QuotaExceed.Image", "The Image Quota exceeds.")
            default: throw error
            }
        }
    }

    private static let notReady = ECSFailure(
        403, "InvalidSnapshotId.NotReady",
        "The current status of the DiskDeviceMapping.n.SnapshotId or SnapshotId does not support this operation.")

    private static func imageName(_ parameters: ECSParameters) throws(ECSFailure) -> String {
        let malformed = ECSFailure(
            400, "InvalidImageName.Malformed", "The specified Image name is wrongly formed.")
        let name = try parameters.needed("ImageName")
        guard Names.isName(name), ImageNames.isName(name) else { throw malformed }
        return name
    }

    private static func ofInstance(
        _ names: ImageNames, _ token: RequestToken?, _ call: ECSCall
    ) async throws -> ImageView {
        var request = NewImageOfInstance(names, of: try await call.instance().id)
        request.token = token
        return try await call.verbs.images.create(request)
    }

    private static func snapshots(
        _ names: ImageNames, _ token: RequestToken?, _ call: ECSCall
    ) async throws -> NewImage {
        var request = try await snapshots(names, call)
        request.token = token
        return request
    }

    private static func snapshots(_ names: ImageNames, _ call: ECSCall) async throws -> NewImage {
        let parameters = call.parameters
        let use = try await SnapshotUse(call)
        let numbers = parameters.numbers("DiskDeviceMapping")
        guard !numbers.isEmpty else {
            guard parameters["SnapshotId"] != nil else {
                throw ECSFailure(
                    400, "MissingParameter",
                    "The input parameter SnapshotId or InstanceId or DiskDeviceMapping that is mandatory for processing this "
                        + "request is not supplied.")
            }
            let snapshot = try await call.snapshot()
            guard snapshot.state == .completed else { throw notReady }
            guard use.systemDisks.contains(snapshot.volumeId) else {
                throw ECSFailure(403, "OperationDenied", "The specified snapshot is not from system disk.")
            }
            return NewImage(
                names, rootDevice: "/dev/xvda", disks: [NewImage.Disk("/dev/xvda", snapshot: snapshot.id)])
        }
        var disks: [NewImage.Disk] = []
        let letters = Array("bcdefghijklmnopq")
        var systems = 0
        guard numbers.count <= letters.count else { throw ECSFailure.parameter("DiskDeviceMapping") }
        for number in numbers {
            let place = "DiskDeviceMapping.\(number)"
            let snapshot = try await call.snapshot("\(place).SnapshotId")
            guard snapshot.state == .completed else { throw notReady }
            let isSystem =
                parameters["\(place).DiskType"].map { $0 == "system" } ?? use.systemDisks.contains(snapshot.volumeId)
            if isSystem { systems += 1 }
            let device = isSystem ? "/dev/xvda" : parameters["\(place).Device"] ?? "/dev/xvd\(letters[disks.count])"
            let size = try parameters.number("\(place).Size").map { ByteCount.gibibytes($0) }
            disks.append(NewImage.Disk(device, snapshot: snapshot.id, size: size))
        }
        guard systems == 1 else {
            throw ECSFailure(
                400, "OperationDenied",
                "The specified parameter DiskDeviceMapping.n.SnapshotId "
                    + (systems == 0
                        ? "does not contain system disk snapshot." : "contains two or more system disk snapshots."))
        }
        return NewImage(names, rootDevice: "/dev/xvda", disks: disks)
    }

    // MARK: DescribeImages

    private static let describeImages: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let ids = parameters["ImageId"].map { Set($0.split(separator: ",").map(String.init)) }
        let states = Set((parameters["Status"] ?? "Available").split(separator: ",").map(String.init))
        let tags = try Tags.filter(parameters)
        let group = try ResourceGroups.filter(call), groups = try await ResourceGroups(call)
        let snapshot = parameters["SnapshotId"].map { ECSID.native($0, .snapshot) ?? "" }
        let pages = try ECSPages(call)
        try call.dryRun()
        let used = Set(
            try await call.verbs.instances.list().filter { $0.state != .terminated }.compactMap(\.imageId))
        let found = try await call.verbs.images.list().filter { image in
            ids?.contains(ECSID.name(image.id, .image) ?? "") ?? true && states.contains(status(image))
                && parameters["ImageName"].map { Wildcard.matches($0, image.name) } ?? true
                && snapshot.map { wanted in image.disks.contains { $0.snapshotId == wanted } } ?? true
                && parameters["ImageOwnerAlias"].map { $0 == alias(image, call) } ?? true
                && parameters["Usage"].map { $0 == (used.contains(image.id) ? "instance" : "none") } ?? true
                && Tags.match(image.tags, tags) && (group == nil || resourceGroup(image, groups, call) == group)
        }
        let page = pages.page(of: found, call) { ($0.createdAt, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add("RegionId", call.region.name)
            fields.add(
                "Images", listOf: "Image", page.items.map { write($0, isUsed: used.contains($0.id), groups, call) })
        }
    }

    private static func status(_ image: ImageView) -> String {
        switch image.state {
        case .pending: "Creating"
        case .available: image.isDeprecated ? "Deprecated" : "Available"
        case .failed: "CreateFailed"
        case .disabled: "UnAvailable"
        }
    }

    private static func alias(_ image: ImageView, _ call: ECSCall) -> String {
        image.ownerId == call.caller.account ? "self" : "others"
    }

    /// Of another account's, which groups its owner has is not told.
    private static func resourceGroup(_ image: ImageView, _ groups: ResourceGroups, _ call: ECSCall) -> String {
        image.ownerId == call.caller.account ? groups.name(of: image.id) : ""
    }

    private static func write(
        _ image: ImageView, isUsed: Bool, _ groups: ResourceGroups, _ call: ECSCall
    ) -> ECSValue {
        ECSFields.of { fields in
            fields.add("ImageId", ECSID.name(image.id, .image) ?? image.id)
            fields.add("ImageName", image.name)
            fields.add("Status", status(image))
            fields.add("Progress", image.state == .available ? "100%" : "0%")
            fields.add(
                "Size", image.disks.first { $0.device == image.rootDevice }.map { Gibibytes.of($0.sizeBytes) } ?? 0)
            fields.add("OSType", "linux")
            fields.add("OSName", "")
            fields.add("Platform", "")
            fields.add("Architecture", "x86_64")
            fields.add("ImageOwnerAlias", alias(image, call))
            fields.add("ImageVersion", "")
            fields.add("ImageFamily", "")
            fields.add("CreationTime", image.createdAt.ecs)
            fields.add("Description", image.description ?? "")
            fields.add("Usage", isUsed ? "instance" : "none")
            fields.add("IsCopied", image.sourceImageId != nil)
            fields.add("IsSubscribed", false)
            fields.add("IsSupportCloudinit", false)
            fields.add("IsSupportIoOptimized", true)
            fields.add("IsSelfShared", "")
            fields.add("ProductCode", "")
            fields.add("ResourceGroupId", resourceGroup(image, groups, call))
            let disks = image.disks.map { disk in
                ECSFields.of {
                    $0.add("SnapshotId", disk.snapshotId.flatMap { ECSID.name($0, .snapshot) } ?? "")
                    $0.add("Device", disk.device)
                    $0.add("Type", disk.device == image.rootDevice ? "system" : "data")
                    $0.add("Size", String(Gibibytes.of(disk.sizeBytes)))
                    $0.add("Format", "")
                    $0.add("Progress", image.state == .available ? "100%" : "0%")
                    $0.add("RemainTime", 0)
                }.value
            }
            fields.add("DiskDeviceMappings", listOf: "DiskDeviceMapping", disks)
            Tags.write(image.tags, into: &fields)
        }.value
    }

    // MARK: DeleteImage

    private static let deleteImage: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let name = try call.parameters.needed("ImageId")
        let isForced = try call.parameters.flag("Force") ?? false
        // What is not there is deleted.
        guard let id = ECSID.native(name, .image),
            let image = try await call.verbs.images.list().first(where: { $0.id == id }),
            image.ownerId == call.caller.account
        else { return ECSFields() }
        let isUsed = try await call.verbs.instances.list().contains { $0.state != .terminated && $0.imageId == id }
        guard isForced || !isUsed else {
            throw ECSFailure(
                403, "ImageUsingByInstance", "The specified image has been used to create instances.")
        }
        if let sharing = image.sharing, !sharing.accounts.isEmpty || sharing.isPublic {
            throw ECSFailure(403, "ImageUseShared", "The specified image has been shared to others.")
        }
        _ = try await call.verbs.images.deregister(id)
        return ECSFields()
    }
}
