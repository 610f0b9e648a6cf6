internal import Blocks
internal import ControlPlane

/// A new image: of an instance, of a snapshot, or a copy of another image.
struct NewImageDocument: NativeDocument {
    static let keys = [
        "name", "description", "instanceId", "fromSnapshotId", "rootDevice", "fromImageId", "fromRegion", "tags",
    ]

    /// What it is made of.
    enum Origin: Sendable {
        case instance(NewImageOfInstance)
        case snapshot(NewImage)
        case image(CopyImage)
    }
    let origin: Origin

    init(_ fields: NativeFields) throws {
        var names = ImageNames(try fields.required("name"), description: try fields.optional("description"))
        names.tags = try fields.optional("tags") ?? [:]
        let instance: String? = try fields.optional("instanceId")
        let snapshot: String? = try fields.optional("fromSnapshotId")
        let image: String? = try fields.optional("fromImageId")
        let device: String = try fields.optional("rootDevice") ?? "/dev/sda1"
        switch (instance, snapshot, image) {
        case (let instance?, nil, nil): origin = .instance(NewImageOfInstance(names, of: instance))
        case (nil, let snapshot?, nil):
            origin = .snapshot(
                NewImage(names, rootDevice: device, disks: [NewImage.Disk(device, snapshot: snapshot)]))
        case (nil, nil, let image?):
            origin = .image(CopyImage(names, of: image, in: try fields.optional("fromRegion")))
        default:
            throw ServiceError(
                .invalid, .image, "an image is made of one thing: give instanceId, fromSnapshotId or fromImageId")
        }
    }
}

/// What of an image is to change.
struct ChangedImageDocument: NativeDocument {
    static let keys = ["description", "isDisabled", "protection"]
    let description: String?
    let isDisabled: Bool?
    let protection: ImageView.Protection?

    init(_ fields: NativeFields) throws {
        description = try fields.optional("description")
        isDisabled = try fields.optional("isDisabled")
        let word: String? = try fields.optional("protection")
        protection = try word.map { word in
            guard let known = ImageView.Protection(rawValue: word) else {
                let all = ImageView.Protection.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalid, .image, "the protection is '\(word)'; it is one of \(all)")
            }
            return known
        }
        guard description != nil || isDisabled != nil || protection != nil else {
            throw ServiceError(
                .invalid, .image, "there is nothing to change: give description, isDisabled or protection")
        }
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct ImageList: Encodable {
        let images: [ImageView]
    }
    /// The JSON of a deregistration.
    struct DeregisteredImage: Encodable {
        let snapshots: [DeletedImageSnapshot]
    }

    static let imageRoutes = [
        NativeRoute("GET", "/images", "Every image, oldest first, and those that others share.") { call in
            try .json(ImageList(images: try await call.verbs.images.list()))
        },
        NativeRoute(
            "POST", "/images", "Makes an image of an instance, of a snapshot or of another image.",
            keys: NewImageDocument.keys
        ) { call in
            let images = call.verbs.images
            let made =
                switch try call.document(NewImageDocument.self).origin {
                case .instance(let request): try await images.create(request)
                case .snapshot(let request): try await images.register(request)
                case .image(let request): try await images.copy(request)
                }
            return try .json(made, status: 201)
        },
        NativeRoute("GET", "/images/{id}", "One image.") { call in
            try .json(try await call.verbs.images.show(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/images/{id}", "Describes, disables or protects an image.", keys: ChangedImageDocument.keys
        ) { call in
            let change = try call.document(ChangedImageDocument.self)
            let id = call.value("id"), images = call.verbs.images
            if let text = change.description { _ = try await images.describe(id, as: text) }
            if let isDisabled = change.isDisabled { _ = try await images.set(isDisabled: isDisabled, of: id) }
            if let protection = change.protection { _ = try await images.set(protection: protection, of: id) }
            return try .json(try await images.show(id))
        },
        NativeRoute(
            "PATCH", "/images/{id}/sharing", "Changes who may make instances of an image.", keys: SharingDocument.keys
        ) { call in
            try .json(
                try await call.verbs.images.share(call.value("id"), call.document(SharingDocument.self).change))
        },
        NativeRoute(
            "DELETE", "/images/{id}", "Deregisters an image; with deleteSnapshots=true its snapshots go, too.",
            query: ["deleteSnapshots"]
        ) { call in
            let deleted = try await call.verbs.images.deregister(
                call.value("id"), deletingSnapshots: try call.flag("deleteSnapshots"))
            return try .json(DeregisteredImage(snapshots: deleted))
        },
    ]
}
