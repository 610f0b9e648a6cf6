internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let imageActions = [
        EC2Action(
            "RegisterImage", isChange: true, lacks: "images in S3, kernels, instance store, empty encrypted disks",
            registerImage),
        EC2Action(
            "CreateImage", isChange: true,
            lacks: "the instance is never rebooted; of BlockDeviceMapping only NoDevice", createImage),
        EC2Action("CopyImage", isChange: true, lacks: "Outposts and Local Zones", copyImage),
        EC2Action(
            "DescribeImages", isChange: false, lacks: "Amazon's own images, which are not here, and times of launches",
            describeImages),
        EC2Action("DeregisterImage", isChange: true, deregisterImage),
    ]

    // MARK: Making

    private static func names(_ call: EC2Call) throws(EC2Failure) -> ImageNames {
        let tags = try TagSpecifications.read(call, for: "image", orFor: ["snapshot"])
        let snapshotTags = try TagSpecifications.read(call, for: "snapshot", orFor: ["image"])
        guard let name = call.parameters["Name"], !name.isEmpty else { throw .missing("name") }
        guard ImageNames.isName(name) else {
            throw EC2Failure(
                "InvalidAMIName.Malformed",
                "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '[', ']', "
                    + "' ', '.', '/', '-', '\\'', '@' and '_'")
        }
        var names = ImageNames(name, description: try description(call))
        names.tags = tags
        names.snapshotTags = snapshotTags
        return names
    }

    /// Runs a verb that makes an image; refusals are in Amazon's words.
    private static func make(
        _ names: ImageNames, _ call: EC2Call, _ body: () async throws -> ImageView
    ) async throws -> XMLWriter {
        do {
            let made = try await body()
            return .elements { $0.add("imageId", made.id) }
        } catch let error as ServiceError {
            guard error.code == .inUse, error.noun == .image else { throw error }
            throw EC2Failure("InvalidAMIName.Duplicate", "AMI name \(names.name) is already in use by another AMI.")
        }
    }

    private static let registerImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let names = try names(call)
        try call.dryRun()
        if let place = call.parameters["ImageLocation"], !place.isEmpty, !call.parameters.has("BlockDeviceMapping") {
            throw EC2Failure("UnsupportedOperation", "Images in S3 are not available here.")
        }
        let root = call.parameters["RootDeviceName"].flatMap { $0.isEmpty ? nil : $0 } ?? InstanceWords.usualRootDevice
        var disks: [NewImage.Disk] = []
        for mapping in call.parameters.structures("BlockDeviceMapping") where mapping["NoDevice"] == nil {
            if let disk = try imageDisk(mapping, call) { disks.append(disk) }
        }
        var request = NewImage(names, rootDevice: root, disks: disks)
        request.traits = try traits(call.parameters)
        do { return try await make(names, call) { try await call.verbs.images.register(request) } } catch let error
            as ServiceError
        {
            throw registerFailure(error, disks, call) ?? error
        }
    }

    private static func imageDisk(_ mapping: RequestParameters, _ call: EC2Call) throws(EC2Failure) -> NewImage.Disk? {
        guard let device = mapping["DeviceName"], !device.isEmpty else { throw .missing("DeviceName") }
        guard mapping.has("Ebs") else { return nil }
        let ebs = mapping.structure("Ebs")
        if ebs.has("Encrypted") {
            guard ebs["SnapshotId"]?.isEmpty != false else {
                throw .invalidParameter(
                    "The encrypted flag cannot be specified since device \(device) has a snapshot specified.")
            }
            guard try ebs.flag("Encrypted") != true else {
                throw EC2Failure("UnsupportedOperation", "Empty encrypted disks of images are not available here.")
            }
        }
        guard ebs["SnapshotId"]?.isEmpty == false || ebs.has("VolumeSize") else {
            throw EC2Failure(
                "InvalidBlockDeviceMapping", "The device \(device) has neither a snapshot nor a size.")
        }
        var disk = try NewVolumePlan(ebs, tags: [:], call).imageDisk(device)
        disk.goesWithInstance = try ebs.flag("DeleteOnTermination") ?? true
        return disk
    }

    private static func traits(_ parameters: RequestParameters) throws(EC2Failure) -> ImageTraits {
        func word(_ name: String) -> String? { parameters[name].flatMap { $0.isEmpty ? nil : $0 } }
        var traits = ImageTraits()
        traits.architecture = word("Architecture") ?? "i386"
        traits.virtualization = word("VirtualizationType") ?? "paravirtual"
        traits.hasENA = try parameters.flag("EnaSupport") ?? false
        traits.sriov = word("SriovNetSupport")
        traits.bootMode = word("BootMode")
        traits.tpm = word("TpmSupport")
        traits.imds = word("ImdsSupport")
        return traits
    }

    private static func registerFailure(
        _ error: ServiceError, _ disks: [NewImage.Disk], _ call: EC2Call
    ) -> EC2Failure? {
        let named = disks.compactMap(\.snapshot).first { error.message.contains($0) } ?? ""
        switch (error.code, error.noun) {
        case (.missing, .snapshot), (.invalid, .snapshot):
            // Of several the message says which; one of eight digits has the right form for Amazon, and nobody here has one.
            return EC2Failure("InvalidSnapshotID.NotFound", "The snapshot '\(named)' does not exist.")
        case (.forbidden, .snapshot):
            return .invalidValue(
                "Invalid value '\(named)' for snapshotId. Snapshot does not belong to \(call.caller.account)")
        case (.wrongState, .snapshot): return EC2Failure("IncorrectState", "Snapshot '\(named)' is not 'completed'.")
        case (.invalid, .image), (.invalid, .attachment), (.invalid, .volume):
            return EC2Failure("InvalidBlockDeviceMapping", error.message)
        default: return nil
        }
    }

    private static let createImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let names = try names(call)
        try call.dryRun()
        let id = try await instance(try instanceID(call), call).id
        var request = NewImageOfInstance(names, of: id)
        for mapping in call.parameters.structures("BlockDeviceMapping") {
            guard let device = mapping["DeviceName"], !device.isEmpty else { throw EC2Failure.missing("DeviceName") }
            guard mapping["NoDevice"] != nil else {
                throw EC2Failure("UnsupportedOperation", "A disk can be left out of an image, and not be changed.")
            }
            request.leavingOut.append(device)
        }
        do { return try await make(names, call) { try await call.verbs.images.create(request) } } catch let error
            as ServiceError
        {
            switch (error.code, error.noun) {
            case (.invalid, .image), (.invalid, .attachment):
                throw EC2Failure("InvalidBlockDeviceMapping", error.message)
            default: throw error
            }
        }
    }

    private static let copyImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let names = try names(call)
        let id = try EC2Identifier.image(call, "SourceImageId")
        guard let region = call.parameters["SourceRegion"], !region.isEmpty else {
            throw EC2Failure.missing("sourceRegion")
        }
        guard call.regions.contains(where: { $0.name == region }) else {
            throw EC2Failure("InvalidRegion", "\(region) is not a valid region name.")
        }
        var request = CopyImage(names, of: id, in: region)
        request.copiesTags = try call.parameters.flag("CopyImageTags") ?? false
        let key = call.parameters["KmsKeyId"].flatMap { $0.isEmpty ? nil : $0 }
        let isEncrypted = try call.parameters.flag("Encrypted") ?? false
        guard key == nil || isEncrypted else {
            throw EC2Failure(
                "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        }
        if isEncrypted { request.encryption = VolumeEncryption(key: key) }
        request.token = try copyToken(call, names)
        try call.dryRun()
        for place in ["DestinationOutpostArn", "DestinationAvailabilityZone"] where call.parameters.has(place) {
            throw EC2Failure("UnsupportedOperation", "Outposts and Local Zones are not supported.")
        }
        do { return try await make(names, call) { try await call.verbs.images.copy(request) } } catch let error
            as ServiceError
        {
            switch (error.code, error.noun) {
            case (.missing, .image), (.invalid, .image): throw EC2Identifier.noImage(id)
            case (.wrongState, .image): throw EC2Identifier.unavailableImage(id)
            case (.forbidden, .image) where call.caller.role != .reader:
                throw EC2Failure("InvalidRequest", "You do not have permission to access the storage of this ami")
            case (.invalid, .store): throw EC2Failure.invalidValue("The specified keyId \(key ?? "") is invalid")
            default: throw error
            }
        }
    }

    private static func copyToken(_ call: EC2Call, _ names: ImageNames) throws(EC2Failure) -> RequestToken? {
        guard let text = try call.parameters.clientToken() else { return nil }
        let asked = ["SourceImageId", "SourceRegion", "Name", "Description", "KmsKeyId"].map {
            call.parameters[$0] ?? ""
        }
        let flags = ["Encrypted", "CopyImageTags"].map { call.parameters[$0]?.lowercased() ?? "" }
        let tags = [names.tags, names.snapshotTags].flatMap { tags in
            ["\(tags.count)"] + tags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        }
        return RequestToken(
            text, fingerprint: (asked + flags + tags).map { "\($0.utf8.count):\($0)" }.joined())
    }

    // MARK: Looking

    /// An image that the caller may use, or Amazon's words that there is none.
    static func image(_ id: String, _ call: EC2Call) async throws -> ImageView {
        do { return try await call.verbs.images.show(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw EC2Identifier.noImage(id)
        }
    }

    /// One of the caller's own: what others share is theirs to change.
    static func ownImage(_ id: String, _ call: EC2Call) async throws -> ImageView {
        let image = try await image(id, call)
        guard image.ownerId == call.caller.account else {
            throw EC2Failure("AuthFailure", "Not authorized for image \(id)")
        }
        return image
    }

    private static let describeImages: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let wanted = call.parameters.list("ImageId")
        for id in wanted { try EC2Identifier.checkImage(id) }
        let paging = try Paging(call, ids: wanted.isEmpty ? nil : "imagesSet", atLeast: 1)
        let filters = try Filters(call.parameters, known: ImageWords.filters)
        let owners = try accounts(call, "Owner", everyone: "amazon", "aws-marketplace", "aws-backup-vault")
        let users = try accounts(call, "ExecutableBy", everyone: "all")
        let showsDisabled = try call.parameters.flag("IncludeDisabled") ?? false
        let showsDeprecated = try call.parameters.flag("IncludeDeprecated") ?? false
        let known = try await call.verbs.images.list().sorted { $0.id < $1.id }
        if let unknown = wanted.first(where: { id in !known.contains { $0.id == id } }) {
            throw EC2Identifier.noImage(unknown)
        }
        let images = try known.filter { image in
            let isOwn = image.ownerId == call.caller.account, isNamed = wanted.contains(image.id)
            return try (wanted.isEmpty || isNamed) && (showsDisabled || image.state != .disabled)
                && (showsDeprecated || isOwn || isNamed || !image.isDeprecated)
                && (owners.isEmpty || owners.contains(image.ownerId))
                && (users.isEmpty || users.contains { isExecutable(image, by: $0) })
                && filters.match(tags: Tag.all(image.tags)) { ImageWords.values(of: $0, image) }
        }
        let page = paging.page(of: images, call) { $0.id }
        return .elements { writer in
            writer.list("imagesSet", page.items) { ImageWords.write($1, into: &$0) }
            writer.add("nextToken", page.next)
        }
    }

    /// Is it shared with that account by its name, as far as the caller may know? `all`: is it everybody's?
    private static func isExecutable(_ image: ImageView, by account: String) -> Bool {
        account == "all" ? ImageWords.isPublic(image) : image.sharing?.accounts.contains(account) == true
    }

    // MARK: Ending

    private static let deregisterImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try EC2Identifier.image(call)
        let deletes = try call.parameters.flag("DeleteAssociatedSnapshots") ?? false
        let deleted: [DeletedImageSnapshot]
        do { deleted = try await call.verbs.images.deregister(id, deletingSnapshots: deletes) } catch let error
            as ServiceError
        {
            switch error.code {
            case .missing, .invalid:
                // It may be one that is shared with them; else they hear that there is none.
                _ = try await ownImage(id, call)
                throw EC2Identifier.noImage(id)
            case .wrongState: throw EC2Identifier.unavailableImage(id)
            default: throw error
            }
        }
        return .elements { writer in
            writer.add("return", true)
            guard deletes else { return }
            writer.list("deleteSnapshotResultSet", deleted) { writer, one in
                writer.add("snapshotId", one.snapshotId)
                writer.add("returnCode", word(one.outcome))
            }
        }
    }

    private static func word(_ outcome: DeletedImageSnapshot.Outcome) -> String {
        switch outcome {
        case .deleted: "success"
        case .needed: "skipped"
        case .locked: "client-error"
        case .failed: "internal-error"
        }
    }
}
