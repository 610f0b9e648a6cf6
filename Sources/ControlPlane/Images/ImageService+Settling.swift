public import Blocks
internal import Catalog

extension ImageService {
    /// How long an image stays protected after its protection was taken back, if that was so settled.
    private static let cooldown = Duration.seconds(86_400)
    /// How far ahead an image may be deprecated.
    private static let deprecationMax = Duration.seconds(10 * 366 * 86_400)

    // MARK: Sharing

    /// Changes who may make instances of it: all of it or nothing. Refused for everybody: one with an encrypted snapshot, and any
    /// while the account blocks that.
    public func share(_ id: String, _ change: SharingChange) async throws -> ImageView {
        for account in change.adding + change.removing { try SnapshotService.check(account) }
        return try await alter(id) { [caller] image, session in
            guard image.state == .available, !image.isDisabled else { throw Household.unavailable(image) }
            if change.isPublic == true { try Self.checkPublic(image, session) }
            for account in change.adding where account != caller.account { try session.share(image: id, with: account) }
            for account in change.removing { try session.unshareImage(id, with: account) }
            switch change.isPublic {
            case true?: try session.share(image: id, with: ShareRecord.everybody)
            case false?: try session.unshareImage(id, with: ShareRecord.everybody)
            case nil: break
            }
            let count = try session.shares(ofImage: id).count
            guard count <= Limits.sharesMax else {
                throw ServiceError(
                    .limitExceeded, .image,
                    "the image \(id) would be shared with \(count) accounts: at most \(Limits.sharesMax) are allowed")
            }
        }
    }

    private static func checkPublic(_ image: ImageRecord, _ session: CatalogSession) throws {
        guard try !session.disks(ofImage: image.id).contains(where: \.isEncrypted) else {
            throw ServiceError(
                .forbidden, .image,
                "the image \(image.id) has encrypted snapshots: it can be shared with accounts, and not with everybody")
        }
        guard try access(of: image.account, session) == .unblocked else {
            throw ServiceError(
                .forbidden, .image, "the account blocks that its images become everybody's")
        }
        guard try !session.shares(ofImage: image.id).contains(ShareRecord.everybody) else { return }
        guard try session.publicImageCount(of: image.account) < Limits.publicImagesMax else {
            throw ServiceError(
                .limitExceeded, .image,
                "\(Limits.publicImagesMax) images of the account are everybody's: that is the most")
        }
    }

    /// The account setting that says whether images can be everybody's.
    private static let accessSetting = "image-public-access"

    private static func access(of account: String, _ session: CatalogSession) throws -> PublicAccess {
        guard let word = try session.setting(accessSetting, of: account) else { return .unblocked }
        guard let access = PublicAccess(rawValue: word) else {
            throw CatalogFailure.corrupt("the account \(account) has the unknown \(accessSetting) \(word)")
        }
        return access
    }

    /// Can the account's images be made everybody's?
    public func publicAccess() async throws -> PublicAccess {
        try await ServiceError.about(.image) {
            try await house.catalog.change { [caller] in try Self.access(of: caller.account, $0) }
        }
    }

    /// Settles that for the account; those that are everybody's stay so.
    public func set(blocksNewSharing isBlocked: Bool) async throws -> PublicAccess {
        try await ServiceError.about(.image) {
            try caller.mayAdminister(.image)
            let access = isBlocked ? PublicAccess.blockNewSharing : .unblocked
            try await house.catalog.change { [caller] session in
                try session.set(Self.accessSetting, of: caller.account, to: access.rawValue)
            }
            return access
        }
    }

    // MARK: Words and times

    /// Changes its owner's words on it; empty or nil: none.
    public func describe(_ id: String, as text: String?) async throws -> ImageView {
        try Limits.check(description: text, .image)
        return try await alter(id) { image, _ in image.description = text.flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// Gives another name, which no other image of the account has.
    public func rename(_ id: String, to name: String) async throws -> ImageView {
        try ImageNames(name).check()
        return try await alter(id) { image, session in
            if let other = try session.image(named: name, of: image.account), other.id != id {
                throw Self.nameTaken(other)
            }
            image.name = name
        }
    }

    /// Lets nothing be made of it, or again. It is shared with nobody from then on: also when it is enabled again.
    public func set(isDisabled: Bool, of id: String) async throws -> ImageView {
        try await alter(id) { [now = house.clock.now()] image, session in
            guard image.state == .available else { throw Household.unavailable(image) }
            if !isDisabled { try session.mustBeUsable(disksOfImage: id, at: now) }
            image.isDisabled = isDisabled
            if isDisabled { try session.unshareImage(id) }
        }
    }

    /// Says from when on it should not be used any more, to the minute; nil: for ever.
    public func set(deprecatedAt time: WallTime?, of id: String) async throws -> ImageView {
        let now = house.clock.now()
        if let time, time < now || time > now + Self.deprecationMax {
            throw ServiceError(
                .invalid, .image,
                "the image cannot be deprecated at \(time): that is over, or more than ten years ahead")
        }
        return try await alter(id) { image, _ in image.deprecatedAt = time?.toTheMinute }
    }

    /// Protects it from being deregistered, or no more.
    public func set(protection: ImageView.Protection, of id: String) async throws -> ImageView {
        let now = house.clock.now()
        return try await alter(id) { image, _ in
            switch protection {
            case .off:
                if image.protection == .cooldown { image.protectedUntil = now + Self.cooldown }
                image.protection = .off
            case .on, .cooldown:
                image.protection = protection == .on ? .on : .cooldown
                image.protectedUntil = nil
            }
        }
    }

    /// One transaction: reads an image of the caller's, lets `body` change it, writes it.
    private func alter(
        _ id: String, _ body: @escaping @Sendable (inout ImageRecord, CatalogSession) throws -> Void
    ) async throws -> ImageView {
        try await ServiceError.about(.image) {
            try caller.mayChange(.image)
            try Identifier.image.check(id, .image)
            let view = try await house.catalog.change { [caller] session in
                guard var image = try session.image(id), image.account == caller.account, image.isPresent else {
                    throw Household.noImage(id)
                }
                try body(&image, session)
                try session.update(image)
                return try session.whole([image])
            }.map { ImageView($0, for: caller, at: house.clock.now()) }[0]
            house.announce(id)
            return view
        }
    }
}

extension WallTime {
    /// The nearest whole minute.
    var toTheMinute: WallTime { WallTime(milliseconds: (milliseconds + 30_000) / 60_000 * 60_000) }
}
