internal import Blocks
internal import ControlPlane

/// Making images: of snapshots, of an instance, of another image.
extension EC2Dialect {
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

    static let registerImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
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

    static let createImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        var names = try names(call)
        try call.dryRun()
        let id = try await instance(try instanceID(call), call).id
        names.snapshotDescription = "Created by CreateImage(\(id)) for {image}"
        var request = NewImageOfInstance(names, of: id)
        for mapping in call.parameters.structures("BlockDeviceMapping") {
            guard let device = mapping["DeviceName"], !device.isEmpty else { throw EC2Failure.missing("DeviceName") }
            guard mapping["NoDevice"] != nil else {
                throw EC2Failure("UnsupportedOperation", "A disk can be left out of an image, and not be changed.")
            }
            request.leavingOut.append(device)
        }
        do {
            return try await make(request.names, call) { try await call.verbs.images.create(request) }
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.invalid, .image), (.invalid, .attachment):
                throw EC2Failure("InvalidBlockDeviceMapping", error.message)
            default: throw error
            }
        }
    }

    static let copyImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        var names = try names(call)
        let id = try EC2Identifier.image(call, "SourceImageId")
        names.snapshotDescription =
            "Copied for DestinationAmi {image} from SourceAmi \(id) for SourceSnapshot {snapshot}"
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
        request.token = try copyToken(call, request.names)
        try call.dryRun()
        for place in ["DestinationOutpostArn", "DestinationAvailabilityZone"] where call.parameters.has(place) {
            throw EC2Failure("UnsupportedOperation", "Outposts and Local Zones are not supported.")
        }
        do {
            return try await make(request.names, call) { try await call.verbs.images.copy(request) }
        } catch let error as ServiceError {
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
}
