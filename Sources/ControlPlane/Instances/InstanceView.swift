public import Blocks

/// A host that volumes attach to, as its owner sees it. The JSON of the native API has exactly these names.
public struct InstanceView: Codable, Equatable, Sendable {
    /// Where an instance is in its life, as far as its owner has said.
    public enum State: String, Codable, Sendable, CaseIterable { case running, stopped, terminated }

    /// A volume on it.
    public struct Disk: Codable, Equatable, Sendable {
        /// The volume.
        public var volumeId: String
        /// Under which name: `/dev/sdf`.
        public var device: String
        /// Is it deleted when the instance is terminated?
        public var goesWithInstance: Bool
        /// The unix socket on which this disk, and nothing else, is offered over NBD. The same after a restart.
        public var socket: String?
        /// Since when.
        public var attachedAt: WallTime
    }

    /// `i-` and 17 hexadecimal digits.
    public var id: String
    /// The account it belongs to.
    public var ownerId: String
    /// Where it is in its life.
    public var state: State
    /// The zone it is in.
    public var zone: String
    /// Its type, as its owner calls it.
    public var kind: String
    /// The image it is said to be made from, or nil.
    public var imageId: String?
    /// Is it protected from being terminated?
    public var isKept: Bool
    /// Shared by those that one request made.
    public var launchId: String
    /// Its disks, by device.
    public var disks: [Disk]
    /// Its tags by key; nil without any.
    public var tags: [String: String]?
    /// What dialects keep with it for their own answers; nil without any.
    public var keepsakes: [String: String]?
    /// When it was made.
    public var launchedAt: WallTime
    /// When its state was last changed.
    public var changedAt: WallTime
}

/// What new instances should be.
public struct NewInstances: Sendable {
    /// A disk that each of them gets.
    public struct Disk: Sendable {
        /// Under which name.
        public var device: String
        /// The volume to be made.
        public var volume: CreateVolume
        /// Is it to be deleted when the instance is terminated?
        public var goesWithInstance: Bool

        /// Makes one.
        public init(device: String, volume: CreateVolume, goesWithInstance: Bool) {
            self.device = device
            self.volume = volume
            self.goesWithInstance = goesWithInstance
        }
    }

    /// How many.
    public var count: Int
    /// A zone of the region by its name; nil: the first.
    public var zone: String?
    /// Their type, as their owner calls it.
    public var kind: String
    /// The image they are made from: they get its disks. One that is not in this house is only kept. Nil: none.
    public var imageID: String?
    /// Are they stopped from the start, rather than running?
    public var isStopped = false
    /// Are they protected from being terminated?
    public var isKept = false
    /// What else is settled about them.
    public var attributes = InstanceAttributes()
    /// Their disks; one with the name of a disk of the image is instead of that.
    public var disks: [Disk] = []
    /// Disks of the image that they do not get.
    public var leavingOut: [String] = []
    /// Tags of the volumes that are made of the image's disks.
    public var volumeTags: [String: String] = [:]
    /// Their tags.
    public var tags: [String: String] = [:]
    /// The resource group that they and what is made of their image's disks are to be in; nil: none.
    public var resourceGroup: String?
    /// What a dialect keeps with each for its own answers; nothing here depends on it.
    public var keepsakes: [String: String] = [:]
    /// So that they are made once, however often they are asked for; nil: each request makes some.
    public var token: RequestToken?

    /// Makes a request.
    public init(count: Int = 1, zone: String? = nil, kind: String = "host", imageID: String? = nil) {
        self.count = count
        self.zone = zone
        self.kind = kind
        self.imageID = imageID
    }
}
