public import Blocks

/// What a volume needs from the world: the seams, and how it is to behave.
public struct VolumeEnvironment: Sendable {
    /// Where files live.
    public var disk: any Disk
    /// The time.
    public var clock: any HouseClock
    /// Which boot of the machine this is. Another value than at the last run means that the page cache is gone.
    public var bootID: String
    /// The share of a volume's size that overlays may take before its pending snapshots are given up.
    public var overlayShare: Double
    /// But at least this much: a busy guest writes a tenth of a small volume in less time than its upload takes, and the
    /// floor of free space guards the disk in any case.
    public var overlayMinimum: ByteCount
    /// With less than this left on the disk, pending snapshots are given up rather than let the guest run into the end.
    public var freeSpaceFloor: ByteCount
    /// Do settling and hydrating run by themselves on background threads? Off in tests that step by hand.
    public var runsBackgroundWork: Bool
    /// Are restored volumes filled in the background, or only by what is read? Needs `runsBackgroundWork`.
    public var hydrates: Bool
    /// How many threads fill a restored volume.
    public var hydrationThreads: Int

    /// Makes an environment.
    public init(
        disk: any Disk, clock: any HouseClock, bootID: String, overlayShare: Double = 0.1,
        overlayMinimum: ByteCount = .gibibytes(4),
        freeSpaceFloor: ByteCount = .mebibytes(256), runsBackgroundWork: Bool = true, hydrates: Bool = true,
        hydrationThreads: Int = 1
    ) {
        self.disk = disk
        self.clock = clock
        self.bootID = bootID
        self.overlayShare = overlayShare
        self.overlayMinimum = overlayMinimum
        self.freeSpaceFloor = freeSpaceFloor
        self.runsBackgroundWork = runsBackgroundWork
        self.hydrates = hydrates
        self.hydrationThreads = hydrationThreads
    }
}
