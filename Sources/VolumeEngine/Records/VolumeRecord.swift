/// `volume.json`: what a volume is, apart from its content. See docs/formats.md, "volume.json".
struct VolumeRecord: Codable, Equatable, Sendable {
    static let knownFormat = 1

    var format = knownFormat
    /// Bytes, a multiple of 512.
    var size: Int
    /// The snapshot that absent blocks come from; nil when nothing is absent.
    var source: String?
    /// The snapshot that the newest epoch's changes count from; nil: from an empty volume.
    var parent: String?
    /// The name of the raw file with the content.
    var home: String
    /// Its inode number: another one means that the files were copied.
    var homeInode: UInt64
    /// The device number of the file system: another one counts as a power loss.
    var device: UInt64
    /// The boot of the machine in which the volume was last opened.
    var bootID: String
    /// Was it closed in order, everything synced?
    var isClean: Bool
    /// After a power loss: every block of the newest epoch counts as changed, whatever its map says.
    var isEverythingDirty: Bool
    /// Maps of older epochs are dead (set by a rollback).
    var firstEpoch: Int
    /// Cuts of this epoch and older are settled: their overlays are dead.
    var settledEpoch: Int
    /// A rollback that must be finished: its blocks are in `rollback.runs`.
    var rollback: String?
}

/// `cuts/<epoch>/cut.json`: a sealed, pending cut. See docs/formats.md, "cut.json".
struct CutRecord: Codable, Equatable, Sendable {
    static let knownFormat = 1

    var format = knownFormat
    /// The epoch that the cut ended.
    var epoch: Int
    /// The snapshot being taken.
    var snapshot: String
    /// The snapshot that the cut's changes count from.
    var parent: String?
    /// The volume's size at the cut, in bytes.
    var size: Int
    /// When, in milliseconds since 1970.
    var time: Int64
    /// Does every block count as changed, whatever the map says?
    var isEverythingDirty: Bool
    /// The overlay's inode number: another one means that the files were copied.
    var overlayInode: UInt64
}
