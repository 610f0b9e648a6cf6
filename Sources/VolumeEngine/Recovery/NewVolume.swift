public import Blocks

/// What a new volume is to be.
public struct NewVolume: Sendable {
    /// Bytes: a positive multiple of 512, at most 64 TiB.
    public var size: ByteCount
    /// The snapshot its content comes from, lazily; nil: empty.
    public var source: String?
    /// The snapshot its changes count from; for a restored volume that is its source, when it is complete.
    public var parent: String?
    /// Does every block count as changed since the parent, or since an empty disk without one?
    public var isEverythingChanged: Bool

    /// Describes a volume.
    public init(
        size: ByteCount, source: String? = nil, parent: String? = nil, isEverythingChanged: Bool = false
    ) {
        self.size = size
        self.source = source
        self.parent = parent
        self.isEverythingChanged = isEverythingChanged
    }
}

extension Volume {
    /// The largest volume.
    public static let maximumSize: ByteCount = .tebibytes(64)

    /// Makes a volume's directory and files. Nothing is half made: the record comes last, and a directory without one
    /// is no volume.
    ///
    /// - Throws: ``VolumeFailure/wrongState(_:)`` if there is a volume already.
    public static func create(
        _ plan: NewVolume, at directory: String, in environment: VolumeEnvironment
    ) throws(VolumeFailure) {
        precondition(plan.size > .zero && plan.size <= maximumSize && plan.size.isMultiple(of: Sector.size))
        let disk = environment.disk
        let paths = VolumePaths(directory: directory)
        if try VolumeFailure.disk({ () throws(DiskFailure) in try disk.facts(paths.record) }) != nil {
            throw .wrongState("\(directory) holds a volume already")
        }
        let home = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.removeTree(directory)
            try disk.makeDirectory(paths.maps)
            try disk.makeDirectory(paths.cuts)
            return try SegmentedFile.open(paths.home("home.img"), .createNew, on: disk)
        }
        try VolumeFailure.block("making \(directory)") { () throws(BlockFailure) in
            try home.resize(to: BlockCount(covering: plan.size).size)
            try home.sync()
        }
        _ = try EpochMap.create(1, paths, on: disk)
        let facts = try VolumeFailure.disk { () throws(DiskFailure) in
            try disk.syncDirectory(paths.maps)
            try disk.syncDirectory(directory)
            try disk.syncDirectory(RecordFile.folder(of: directory))
            return try disk.facts(paths.home("home.img"))
        }
        let record = VolumeRecord(
            size: plan.size.bytes, source: plan.source, parent: plan.parent, home: "home.img",
            homeInode: facts?.inode ?? 0, device: facts?.device ?? 0, bootID: environment.bootID, isClean: true,
            isEverythingDirty: plan.isEverythingChanged, firstEpoch: 1, settledEpoch: 0, rollback: nil)
        try RecordFile.write(record, to: paths.record, on: disk)
    }

    /// Removes a volume's files. The record goes first, so that a crash leaves no volume rather than half of one.
    public static func destroy(at directory: String, in environment: VolumeEnvironment) throws(VolumeFailure) {
        let disk = environment.disk
        let paths = VolumePaths(directory: directory)
        try VolumeFailure.disk { () throws(DiskFailure) in
            guard try disk.facts(directory) != nil else { return }
            try disk.remove(paths.record)
            try disk.syncDirectory(directory)
            try disk.removeTree(directory)
        }
    }

    /// What a closed volume's record says about where its content comes from: what ``open(at:in:source:)`` will need.
    public static func sourceOfVolume(
        at directory: String, in environment: VolumeEnvironment
    ) throws(VolumeFailure) -> String? {
        let path = VolumePaths(directory: directory).record
        let record = try RecordFile.read(VolumeRecord.self, from: path, on: environment.disk)
        return record.rollback ?? record.source
    }
}
