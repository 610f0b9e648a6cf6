internal import Blocks
internal import Catalog

/// The verbs on images: what instances can be made from. Every error is a ``ServiceError``.
///
/// An image is a record with a list of disks; their content is in snapshots, which cannot be deleted while it needs them: both
/// are looked at in the transaction that makes one or deletes the other, so one of the two finds the other.
public struct ImageService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// For how many seconds a deregistered one is still known.
    private static let afterlife = 3600

    /// One image, of the account or shared with it.
    public func show(_ id: String) async throws -> ImageView {
        try await ServiceError.about(.image) {
            let whole = try await house.usableImage(id, for: caller)
            let tags = try await house.catalog.change { [caller] in try $0.shareeTags(onAll: [id], by: caller.account) }
            return ImageView(whole, for: caller, at: house.clock.now(), shareeTags: tags[id])
        }
    }

    /// Every image of the account, oldest first, and then those that others share with it or with everybody.
    public func list() async throws -> [ImageView] {
        try await ServiceError.about(.image) {
            let limit = house.clock.now() + .seconds(-Self.afterlife)
            let (images, tags) = try await house.catalog.change { [caller] session in
                try session.deleteImages(deregisteredBefore: limit)
                let own = try session.images(of: caller.account)
                let shared = try session.images(sharedWith: caller.account)
                return (
                    try session.whole(own + shared),
                    try session.shareeTags(onAll: shared.map(\.id), by: caller.account)
                )
            }
            return images.map {
                ImageView($0, for: caller, at: house.clock.now(), shareeTags: tags[$0.image.id])
            }
        }
    }

    /// What tokens are for.
    static let action = "create-image"

    /// What `body` makes, or what the token that it is asked for by made before.
    func once(by token: RequestToken?, _ body: () async throws -> ImageView) async throws -> ImageView {
        do {
            // First: what it was made of may be gone since.
            if let token {
                let used = try await house.catalog.change { [caller] in
                    try token.used(for: Self.action, by: caller.account, $0)
                }
                if let used { throw used }
            }
            return try await body()
        } catch let used as RequestToken.Used {
            do {
                let made = try await house.usableImage(used.object, for: caller)
                return ImageView(made, for: caller, at: house.clock.now())
            } catch let error as ServiceError where error.code == .missing {
                throw used.gone
            }
        }
    }

    /// Makes an image of completed snapshots of the account.
    public func register(_ request: NewImage) async throws -> ImageView {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            return try await once(by: request.token) { try await registerNew(request) }
        }
    }

    private func registerNew(_ request: NewImage) async throws -> ImageView {
        try request.names.check()
        try request.traits.check()
        try Self.check(request)
        let now = house.clock.now(), id = Identifier.image.next()
        let view = try await house.catalog.change { [caller] session in
            try request.token?.take(for: Self.action, by: caller.account, making: id, at: now, session)
            var image = ImageRecord(
                id: id, account: caller.account, name: request.names.name,
                rootDevice: try DeviceName(request.rootDevice).text, createdAt: now)
            image.description = request.names.description
            request.traits.write(to: &image)
            let disks = try request.disks.map { try Self.disk($0, of: image.id, caller, at: now, session) }
            try Self.insert(image, disks, request.names.tags, session)
            try session.place(image.id, of: image.account, in: request.names.resourceGroup)
            return try session.whole([image])
        }.map { ImageView($0, for: caller, at: house.clock.now()) }[0]
        house.announce(view.id)
        return view
    }

    private static func check(_ request: NewImage) throws {
        guard (1...Limits.disksMax).contains(request.disks.count) else {
            throw ServiceError(
                .invalid, .image, "\(request.disks.count) disks: 1 to \(Limits.disksMax) are allowed")
        }
        let root = try DeviceName(request.rootDevice)
        var names: [DeviceName] = []
        for disk in request.disks {
            let name = try DeviceName(disk.device)
            guard !names.contains(name) else {
                throw ServiceError(.invalid, .attachment, "the device \(disk.device.quotable) is named twice")
            }
            names.append(name)
            if let snapshot = disk.snapshot { try Identifier.snapshot.check(snapshot, .snapshot) }
            if let size = disk.size { try Limits.check(size: size) }
            if name == root, disk.snapshot == nil {
                throw ServiceError(.invalid, .image, "the root disk \(root.text) has no snapshot")
            }
        }
        guard names.contains(root) else {
            throw ServiceError(.invalid, .image, "there is no disk \(root.text), from which the image is to start")
        }
    }

    private static func disk(
        _ wanted: NewImage.Disk, of image: String, _ caller: Caller, at now: WallTime, _ session: CatalogSession
    ) throws -> ImageDiskRecord {
        let snapshot = try wanted.snapshot.map { try completed($0, caller, at: now, session) }
        guard let size = wanted.size ?? snapshot?.volumeSize else {
            throw ServiceError(.invalid, .image, "the disk \(wanted.device) has neither a snapshot nor a size")
        }
        if let snapshot, size < snapshot.volumeSize {
            throw ServiceError(
                .invalid, .image,
                "the disk \(wanted.device) has \(size.bytes) bytes, less than its snapshot's \(snapshot.volumeSize.bytes)"
            )
        }
        try wanted.profile?.check(size: size)
        var disk = ImageDiskRecord(
            imageID: image, device: try DeviceName(wanted.device).text, snapshotID: snapshot?.id, size: size)
        disk.kind = wanted.profile?.kind
        disk.iops = wanted.profile?.iops
        disk.throughput = wanted.profile?.throughput
        disk.goesWithInstance = wanted.goesWithInstance
        return disk
    }

    /// A completed snapshot of the caller's own: what others share is not theirs to hold.
    private static func completed(
        _ id: String, _ caller: Caller, at now: WallTime, _ session: CatalogSession
    ) throws -> SnapshotRecord {
        guard let record = try session.snapshot(id), record.isPresent,
            try Household.mayUse(record, caller, session)
        else { throw Household.noSnapshot(id) }
        guard record.account == caller.account else {
            throw ServiceError(
                .forbidden, .snapshot, "the snapshot \(id) does not belong to \(caller.account): copy it first")
        }
        guard record.state == .completed else {
            throw ServiceError(
                .wrongState, .snapshot, "the snapshot \(id) is \(record.state.rawValue): wait until it is completed")
        }
        try record.mustBeUsableForGood(at: now)
        return record
    }

    /// In the transaction that makes it: refuses a name that is taken.
    static func insert(
        _ image: ImageRecord, _ disks: [ImageDiskRecord], _ tags: [String: String], _ session: CatalogSession
    ) throws {
        try session.mustHave(account: image.account)
        if let other = try session.image(named: image.name, of: image.account) { throw nameTaken(other) }
        let count = try session.imageCount(of: image.account)
        guard count < Limits.imagesMax else {
            throw ServiceError(
                .limitExceeded, .image, "the account has \(count) images, those in the bin among them: that is the most"
            )
        }
        try session.insert(image, disks: disks)
        for (key, value) in tags { try session.setTag(key, to: value, on: image.id) }
    }

    static func nameTaken(_ other: ImageRecord) -> ServiceError {
        ServiceError(.inUse, .image, "the name \(other.name.quotable) is that of \(other.id): take another")
    }
}
