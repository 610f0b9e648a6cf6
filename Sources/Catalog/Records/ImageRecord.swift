public import Blocks

/// What instances can be made from: disks, each with a snapshot's content.
public struct ImageRecord: Equatable, Sendable {
    /// Where it is in its life. `pending`: a snapshot of it is not stored yet. A deregistered one is only there to be told of.
    public enum State: String, Sendable, CaseIterable { case pending, available, failed, deregistered }
    /// Is it protected from being deregistered; and if so, also for a day after that is taken back?
    public enum Protection: String, Sendable, CaseIterable { case off, on, cooldown }

    /// `ami-...`.
    public var id: String
    /// Whose it is, for good.
    public var account: String
    /// Its owner's name for it; none of their other images has it.
    public var name: String
    /// Its owner's words on it.
    public var description: String?
    /// Where it is in its life.
    public var state: State
    /// Why it failed.
    public var reason: String?
    /// For which machines it is, as its owner says.
    public var architecture: String
    /// How they are virtualized, as its owner says.
    public var virtualization: String
    /// The device that an instance of it starts from.
    public var rootDevice: String
    /// Does its system know enhanced networking, as its owner says?
    public var hasENA = false
    /// Its owner's word on the older kind of that.
    public var sriov: String?
    /// How it boots, as its owner says.
    public var bootMode: String?
    /// Its owner's word on trusted platform modules.
    public var tpm: String?
    /// Its owner's word on the metadata service.
    public var imds: String?
    /// Can nothing be made of it for now?
    public var isDisabled = false
    /// Is it protected from being deregistered?
    public var protection = Protection.off
    /// Its protection was taken back, and holds until then.
    public var protectedUntil: WallTime?
    /// From when on it should not be used any more; nil: for ever.
    public var deprecatedAt: WallTime?
    /// The instance it was made from, or nil.
    public var sourceInstance: String?
    /// The image that it is a copy of, or nil.
    public var sourceImage: String?
    /// The region of that image.
    public var sourceRegion: String?
    /// Are its snapshots to be encrypted although their sources are not?
    public var isEncryptedCopy = false
    /// The wrapping key that was asked for those.
    public var sourceKey: String?
    /// When it was made.
    public var createdAt: WallTime
    /// When its state last changed.
    public var changedAt: WallTime
    /// Its owner deregistered it, and it is kept in the bin. Changed by ``CatalogSession/set(bin:ofImage:)`` alone.
    public var bin: BinStay?

    /// Makes an available one for 64-bit PCs.
    public init(id: String, account: String, name: String, rootDevice: String, createdAt: WallTime) {
        self.id = id
        self.account = account
        self.name = name
        self.rootDevice = rootDevice
        self.createdAt = createdAt
        changedAt = createdAt
        state = .available
        architecture = "x86_64"
        virtualization = "hvm"
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        id = try row.text("id")
        account = try row.text("account_id")
        name = try row.text("name")
        description = try row.optionalText("description")
        state = try row.word("state", as: State.self)
        reason = try row.optionalText("reason")
        architecture = try row.text("architecture")
        virtualization = try row.text("virtualization")
        rootDevice = try row.text("root_device")
        hasENA = try row.integer("has_ena") != 0
        sriov = try row.optionalText("sriov")
        bootMode = try row.optionalText("boot_mode")
        tpm = try row.optionalText("tpm")
        imds = try row.optionalText("imds")
        isDisabled = try row.integer("is_disabled") != 0
        protection = try row.word("protection", as: Protection.self)
        protectedUntil = try row.optionalTime("protected_until")
        deprecatedAt = try row.optionalTime("deprecated_at")
        sourceInstance = try row.optionalText("source_instance")
        sourceImage = try row.optionalText("source_image")
        sourceRegion = try row.optionalText("source_region")
        sourceKey = try row.optionalText("source_key")
        isEncryptedCopy = try row.integer("is_encrypted_copy") != 0
        createdAt = try row.time("created_at")
        changedAt = try row.time("changed_at")
        bin = try BinStay(row)
    }

    /// Is it there for those who may use it: neither deregistered nor in the bin?
    public var isPresent: Bool { state != .deregistered && bin == nil }
}

/// A disk that each instance of an image gets.
public struct ImageDiskRecord: Equatable, Sendable {
    /// The image.
    public var imageID: String
    /// Under which name.
    public var device: String
    /// Its content; nil: empty, or still to be copied.
    public var snapshotID: String?
    /// The snapshot that its own is to be a copy of; nil: of none.
    public var sourceSnapshot: String?
    /// Its size.
    public var size: ByteCount
    /// The name of its kind; nil: none was asked for.
    public var kind: String?
    /// Operations a second it is to have; nil: as its kind has it.
    public var iops: Int?
    /// MiB a second, likewise.
    public var throughput: Int?
    /// Is it deleted when the instance is terminated?
    public var goesWithInstance = true
    /// Is its snapshot encrypted? Read, never written.
    public var isEncrypted = false

    /// Makes one.
    public init(imageID: String, device: String, snapshotID: String?, size: ByteCount) {
        self.imageID = imageID
        self.device = device
        self.snapshotID = snapshotID
        self.size = size
    }

    init(_ row: SQLRow) throws(CatalogFailure) {
        imageID = try row.text("image_id")
        device = try row.text("device")
        snapshotID = try row.optionalText("snapshot_id")
        sourceSnapshot = try row.optionalText("source_snapshot")
        size = ByteCount(try row.integer("size"))
        kind = try row.optionalText("kind")
        iops = try row.optionalInteger("iops")
        throughput = try row.optionalInteger("throughput")
        goesWithInstance = try row.integer("goes_with_instance") != 0
        isEncrypted = try row.optionalText("snapshot_key") != nil
    }
}

/// An image with all that belongs to it.
public struct WholeImage: Equatable, Sendable {
    /// The image.
    public var image: ImageRecord
    /// Its disks, by device.
    public var disks: [ImageDiskRecord]
    /// With whom it is shared: accounts, or ``ShareRecord/everybody``; in order.
    public var shares: [String]
    /// Its tags by key.
    public var tags: [String: String]
    /// That a policy made it; nil: none did.
    public var made: PolicyImageRecord?
}
