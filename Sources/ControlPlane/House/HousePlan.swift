public import Blocks

/// Where a house lives and how much it may take.
public struct HousePlan: Sendable {
    /// The data directory; made if missing.
    public var data: String
    /// The directory of the object store or its URL, or nil for the one that the data directory was last opened with
    /// (`<data>/store` at first).
    public var store: String?
    /// How stores are made that are named by a URL; nil for a house that knows directories only.
    public var opener: (any StoreOpener)?
    /// The region that the house says it is in; nil: as when the data directory was made (`us-east-1` then).
    public var region: Region?
    /// More regions, each with a repository of its own; those of earlier starts need not be named again.
    public var moreRegions: [RegionPlan] = []
    /// Uploads that run at the same time, over all volumes.
    public var uploadsAtOnce = 2
    /// Bytes that all uploads together may hold in buffers.
    public var uploadMemory: ByteCount = .mebibytes(256)
    /// Are volumes for which a kind was asked held to what that allows?
    public var holdsPaces = true
    /// The share of a volume's size, 0 to 1, that writes redirected for pending snapshots may take before those
    /// snapshots are given up.
    public var overlayShare = 0.1
    /// The identity of this boot, which tells kill -9 from power loss; nil asks the system (or `VARVE_BOOT_ID`).
    public var bootID: String?

    /// Files of wrapping keys: 64 hexadecimal digits, readable by their owner alone. The first one encrypts what names no key.
    public var keyFiles: [String] = []
    /// Files of passphrases, likewise.
    public var passphraseFiles: [String] = []
    /// How often all of the store is read again in the background, from one start to the next; nil: only on request.
    public var scrubEvery: Duration? = .seconds(7 * 86_400)
    /// Bytes per second that this may read, at most.
    public var scrubRateMax: ByteCount = .mebibytes(64)
    /// How soon the agent of a host has to fetch what it is asked for, while a snapshot waits for it.
    public var agentPatience = Duration.seconds(5)
    /// How long is kept what was done by whom.
    public var eventsKept: Duration = .seconds(90 * 86_400)
    /// Of an account's refused requests in a minute, so many leave an event.
    public var refusalsKept = 60
    /// Are requests refused for coming too fast?
    public var rates = Rates.off
    /// Told what somebody should know, on the thread that noticed it: must be quick.
    public var onNotice: (@Sendable (HouseNotice) -> Void)?
    /// The clock; nil: the machine's.
    public var clock: (any HouseClock)?

    /// Makes a plan.
    public init(data: String, store: String? = nil) {
        self.data = data
        self.store = store
    }
}
