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
                && filters.match(tags: Tag.all(image.allTags)) { ImageWords.values(of: $0, image) }
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
