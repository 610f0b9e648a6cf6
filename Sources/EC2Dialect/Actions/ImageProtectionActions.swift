internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let imageProtectionActions = [
        EC2Action("EnableImage", isChange: true) { call in
            try await settle(call) { try await $0.set(isDisabled: false, of: $1) }
        },
        EC2Action("DisableImage", isChange: true) { call in
            try await settle(call) { try await $0.set(isDisabled: true, of: $1) }
        },
        EC2Action("EnableImageDeprecation", isChange: true) { call in
            guard let text = call.parameters["DeprecateAt"], !text.isEmpty else {
                throw EC2Failure.missing("deprecateAt")
            }
            guard let time = WallTime(text) else {
                throw EC2Failure.invalidValue("Value (\(text)) for parameter DeprecateAt is invalid.")
            }
            return try await settle(call) { try await $0.set(deprecatedAt: time, of: $1) }
        },
        EC2Action("DisableImageDeprecation", isChange: true) { call in
            try await settle(call) { try await $0.set(deprecatedAt: nil, of: $1) }
        },
        EC2Action("EnableImageDeregistrationProtection", isChange: true) { call in
            let protection: ImageView.Protection = try call.parameters.flag("WithCooldown") == true ? .cooldown : .on
            return try await settle(call) { try await $0.set(protection: protection, of: $1) }
        },
        EC2Action("DisableImageDeregistrationProtection", isChange: true) { call in
            try await settle(call) { try await $0.set(protection: .off, of: $1) }
        },
        EC2Action("EnableImageBlockPublicAccess", isChange: true) { call in
            try call.dryRun()
            guard let word = call.parameters["ImageBlockPublicAccessState"], !word.isEmpty else {
                throw EC2Failure.missing("ImageBlockPublicAccessState")
            }
            guard word == PublicAccess.blockNewSharing.rawValue else {
                throw EC2Failure.invalidValue("Value (\(word)) for parameter ImageBlockPublicAccessState is invalid.")
            }
            return answer(try await call.verbs.images.set(blocksNewSharing: true))
        },
        EC2Action("DisableImageBlockPublicAccess", isChange: true) { call in
            try call.dryRun()
            return answer(try await call.verbs.images.set(blocksNewSharing: false))
        },
        EC2Action("GetImageBlockPublicAccessState", isChange: false) { call in
            try call.dryRun()
            let access = try await call.verbs.images.publicAccess()
            return .elements { writer in
                writer.append(answer(access))
                writer.add("managedBy", "account")
            }
        },
        EC2Action("ListImagesInRecycleBin", isChange: false) { call in
            try call.dryRun()
            let wanted = call.parameters.list("ImageId")
            for id in wanted { try EC2Identifier.checkImage(id) }
            let paging = try Paging(call, ids: wanted.isEmpty ? nil : "imageIdsSet", atLeast: 1)
            let binned = try await call.verbs.bin.list().images
            let found = try those(wanted, of: binned, by: \.id, else: EC2Identifier.noImage)
            let page = paging.page(of: found, call) { $0.object.id }
            return .elements { writer in
                writer.list("imageSet", page.items) { writer, one in
                    writer.add("imageId", one.object.id)
                    writer.add("name", one.object.name)
                    writer.add("description", one.object.description)
                    writer.add("recycleBinEnterTime", one.enteredAt.description)
                    writer.add("recycleBinExitTime", one.leavesAt.description)
                }
                writer.add("nextToken", page.next)
            }
        },
        EC2Action("RestoreImageFromRecycleBin", isChange: true) { call in
            let id = try EC2Identifier.image(call)
            guard try await call.verbs.bin.holds(id) else { throw EC2Identifier.noImage(id) }
            try call.dryRun()
            do { _ = try await call.verbs.bin.restoreImage(id) } catch let error as ServiceError {
                switch error.code {
                // It left the bin just now.
                case .missing: throw EC2Identifier.noImage(id)
                case .wrongState: throw EC2Failure("IncorrectState", error.message)
                default: throw error
                }
            }
            return .done
        },
    ]

    /// Settles something about an image of the caller's.
    private static func settle(
        _ call: EC2Call, _ body: (ImageService, String) async throws -> ImageView
    ) async throws -> XMLWriter {
        try call.dryRun()
        let id = try EC2Identifier.image(call)
        _ = try await ownImage(id, call)
        do { _ = try await body(call.verbs.images, id) } catch let error as ServiceError {
            switch error.code {
            case .missing: throw EC2Identifier.noImage(id)
            case .wrongState: throw EC2Failure("IncorrectState", error.message)
            default: throw error
            }
        }
        return .done
    }

    private static func answer(_ access: PublicAccess) -> XMLWriter {
        .elements { $0.add("imageBlockPublicAccessState", access.rawValue) }
    }
}
