public import Blocks
internal import Catalog

/// What any new image is called.
public struct ImageNames: Sendable {
    /// 3 to 128 letters, digits, spaces and `()[]./-'@_`; none of the account's other images has it.
    public var name: String
    /// At most 1024 printable characters, or nil.
    public var description: String?
    /// Tags by key.
    public var tags: [String: String] = [:]
    /// The resource group that it is to be in; nil: none.
    public var resourceGroup: String?
    /// Tags of the snapshots that are made for it.
    public var snapshotTags: [String: String] = [:]
    /// What is said of each of those, with `{image}` for the image's id and `{snapshot}` for what it is a copy of.
    public var snapshotDescription = "made for {image}"

    /// Makes one.
    public init(_ name: String, description: String? = nil) {
        self.name = name
        self.description = description
    }

    /// May an image be called so?
    public static func isName(_ text: String) -> Bool {
        (3...128).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9": true
                default: "()[] ./-'@_".unicodeScalars.contains(scalar)
                }
            }
    }

    func check() throws {
        guard Self.isName(name) else {
            throw ServiceError(
                .invalid, .image,
                "the name \"\(name.quotable)\" is no image's: it has 3 to 128 letters, digits, spaces and ()[]./-'@_")
        }
        try Limits.check(description: description, .image)
        try TagRules.check(tags)
        try TagRules.check(count: tags.count, of: "the image")
        try TagRules.check(snapshotTags)
        try TagRules.check(count: snapshotTags.count, of: "the snapshot")
        try ResourceGroupService.check(resourceGroup)
    }
}

/// An image that is to be made of snapshots that there are.
public struct NewImage: Sendable {
    /// A disk that each instance of it gets.
    public struct Disk: Sendable {
        /// Under which name.
        public var device: String
        /// A completed snapshot of the account's; nil: zeros, and a size is needed.
        public var snapshot: String?
        /// Nil: the snapshot's.
        public var size: ByteCount?
        /// How fast it is to be: what is asked for; nil: nothing is.
        public var profile: VolumeProfile?
        /// Is it deleted when the instance is terminated?
        public var goesWithInstance = true

        /// Makes one.
        public init(_ device: String, snapshot: String?, size: ByteCount? = nil) {
            self.device = device
            self.snapshot = snapshot
            self.size = size
        }
    }

    /// What it is called.
    public var names: ImageNames
    /// The device that an instance of it starts from; one of its disks, with a snapshot.
    public var rootDevice: String
    /// Its disks.
    public var disks: [Disk]
    /// What its owner says about the machines it is for.
    public var traits = ImageTraits()
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?

    /// Makes a request.
    public init(_ names: ImageNames, rootDevice: String, disks: [Disk]) {
        self.names = names
        self.rootDevice = rootDevice
        self.disks = disks
    }
}

/// An image that is to be made of an instance's disks as they are at one instant.
public struct NewImageOfInstance: Sendable {
    /// What it is called.
    public var names: ImageNames
    /// The instance.
    public var instance: String
    /// Disks that it is not to have, by their names on the instance.
    public var leavingOut: [String] = []
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?
    /// Does it wait for, and count as, snapshots of its volumes that are asked for? A policy's does not.
    var isRated = true
    /// What is recorded in the transaction that records the image.
    var recording: (@Sendable (CatalogSession, ImageRecord) throws -> Void)?

    /// Makes a request.
    public init(_ names: ImageNames, of instance: String) {
        self.names = names
        self.instance = instance
    }
}

/// A copy of an image that is asked for, in the region that it is to come to.
public struct CopyImage: Sendable {
    /// What it is called.
    public var names: ImageNames
    /// The image: the account's, or one that is shared with it, with its snapshots.
    public var image: String
    /// The region where it is; nil: the one that the copy comes to.
    public var region: String?
    /// Is it to get its source's tags, if the caller owns that?
    public var copiesTags = false
    /// What its snapshots are to be encrypted with if not as their sources are.
    public var encryption: VolumeEncryption?
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?
    /// What is recorded in the transaction that records the copy.
    var recording: (@Sendable (CatalogSession, ImageRecord) throws -> Void)?

    /// Makes a request.
    public init(_ names: ImageNames, of image: String, in region: String? = nil) {
        self.names = names
        self.image = image
        self.region = region
    }
}
