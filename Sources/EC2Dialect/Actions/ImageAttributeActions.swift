internal import ControlPlane

extension EC2Dialect {
    static let imageAttributeActions = [
        EC2Action(
            "ModifyImageAttribute", isChange: true, lacks: "organizations, product codes and imdsSupport", modifyImage),
        EC2Action("DescribeImageAttribute", isChange: false) { call in
            try call.dryRun()
            let id = try EC2Identifier.image(call)
            guard let word = call.parameters["Attribute"], !word.isEmpty else { throw EC2Failure.missing("attribute") }
            guard let attribute = ImageAttribute(rawValue: word) else {
                throw EC2Failure.invalidValue("Value (\(word)) for parameter attribute is invalid. Unknown attribute.")
            }
            let image = try await ownImage(id, call)
            return .elements { writer in
                writer.add("imageId", id)
                attribute.write(image, into: &writer)
            }
        },
        EC2Action("ResetImageAttribute", isChange: true) { call in
            try call.dryRun()
            let id = try EC2Identifier.image(call)
            guard call.parameters["Attribute"] == "launchPermission" else {
                throw EC2Failure.invalidValue("Unrecognized attribute.")
            }
            let before = try await ownImage(id, call).sharing?.accounts ?? []
            try await share(id, SharingChange(removing: before, isPublic: false), call)
            return .done
        },
    ]

    /// Either its description, or who may launch it.
    private static let modifyImage: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try EC2Identifier.image(call)
        _ = try await ownImage(id, call)
        let parameters = call.parameters, attribute = parameters["Attribute"].flatMap { $0.isEmpty ? nil : $0 }
        let text = parameters["Description.Value"] ?? (attribute == "description" ? parameters["Value"] : nil)
        if let text {
            guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), text.utf8.count <= 255 else {
                throw EC2Failure.invalidValue(
                    "Value (\(text)) for parameter description is invalid. Character sets beyond ASCII are not supported."
                )
            }
            _ = try await call.verbs.images.describe(id, as: text)
            return .done
        }
        if attribute == "imdsSupport" || parameters.has("ImdsSupport") || parameters.has("ProductCode") {
            throw EC2Failure("UnsupportedOperation", "This attribute cannot be changed here.")
        }
        try await share(id, try PermissionChange(parameters, "LaunchPermission").change, call)
        return .done
    }

    /// Shares it; refusals are in Amazon's words.
    private static func share(_ id: String, _ change: SharingChange, _ call: EC2Call) async throws {
        do { _ = try await call.verbs.images.share(id, change) } catch let error as ServiceError {
            switch error.code {
            case .forbidden: throw EC2Failure("OperationNotPermitted", error.message)
            case .wrongState: throw EC2Failure("IncorrectState", error.message)
            default: throw error
            }
        }
    }
}

/// What DescribeImageAttribute calls an image's attributes.
private enum ImageAttribute: String {
    case description, kernel, ramdisk, launchPermission, productCodes, blockDeviceMapping, sriovNetSupport, bootMode
    case tpmSupport, uefiData, lastLaunchedTime, imdsSupport, deregistrationProtection

    /// Its element. What an image has none of is empty.
    func write(_ image: ImageView, into writer: inout XMLWriter) {
        func text(_ value: String?) { writer.add(rawValue) { $0.add("value", value) } }
        switch self {
        case .description: text(image.description)
        case .kernel, .ramdisk, .uefiData, .lastLaunchedTime: text(nil)
        case .sriovNetSupport: text(image.traits.sriov)
        case .bootMode: text(image.traits.bootMode)
        case .tpmSupport: text(image.traits.tpm)
        case .imdsSupport: text(image.traits.imds)
        case .deregistrationProtection: text(ImageWords.protection(image))
        case .productCodes: writer.list(rawValue, [String]()) { $0.add("productCode", $1) }
        case .blockDeviceMapping: ImageWords.write(disks: image, into: &writer)
        case .launchPermission:
            let accounts = image.sharing?.accounts ?? []
            let grantees = (ImageWords.isPublic(image) ? [nil] : []) + accounts.map(Optional.some)
            writer.list(rawValue, grantees) { writer, account in
                if let account { writer.add("userId", account) } else { writer.add("group", "all") }
            }
        }
    }
}
