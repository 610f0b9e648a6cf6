public import Blocks
public import Testing

/// What every ``Disk`` must keep. One case, one sentence of the contract; each starts in an empty directory.
public enum DiskLaw: String, CaseIterable, Sendable, CustomTestStringConvertible {
    // names
    case opensWhatWasMade, missingFileIsMissing, createNewRefusesExisting, createKeepsContent
    case makesDirectoriesAbove, listsSortedNames, removesQuietly, removesTrees
    case renameReplaces, renameIfAbsentKeepsTarget, openFileOutlivesItsName, factsTellSizeAndKind
    case renamedFileKeepsItsInode, failsToListWhatIsMissing
    // contents
    case readsBackWrites, zerosPastTheEnd, writePastTheEndLeavesAHole, resizeCutsAndGrowsWithZeros
    case punchedBlocksReadZero, zeroedRangeReadsZero, allocatedRangeReadsAsBefore, twoHandlesSeeOneFile
    case readOnlyRefusesWrites, cachedReadsAgree
    // extents
    case extentsAreExactPerBlock, writtenZerosAreData, partialPunchKeepsData, partialWriteMakesData
    case punchMakesAHole, emptyFileHasNoData, endOfFileIsAHole, extentsSurviveSync
    // mappings
    case mappingShowsTheFile, storesAreInTheFile, storesOutliveTheMapping, mappedStoresAreData
    // locks
    case lockIsExclusive

    /// The law's name.
    public var testDescription: String { rawValue }

    /// Fails the running test if `disk` breaks the law. `directory` is an empty, existing directory on it.
    public func check(_ disk: any Disk, in directory: String) throws {
        let names = DiskNameLaws(disk: disk, directory: directory)
        let contents = DiskContentLaws(disk: disk, directory: directory)
        let extents = DiskExtentLaws(disk: disk, directory: directory)
        let mappings = DiskMappingLaws(disk: disk, directory: directory)
        switch self {
        case .opensWhatWasMade: try names.opensWhatWasMade()
        case .missingFileIsMissing: try names.missingFileIsMissing()
        case .createNewRefusesExisting: try names.createNewRefusesExisting()
        case .createKeepsContent: try names.createKeepsContent()
        case .makesDirectoriesAbove: try names.makesDirectoriesAbove()
        case .listsSortedNames: try names.listsSortedNames()
        case .removesQuietly: try names.removesQuietly()
        case .removesTrees: try names.removesTrees()
        case .renameReplaces: try names.renameReplaces()
        case .renameIfAbsentKeepsTarget: try names.renameIfAbsentKeepsTarget()
        case .openFileOutlivesItsName: try names.openFileOutlivesItsName()
        case .factsTellSizeAndKind: try names.factsTellSizeAndKind()
        case .renamedFileKeepsItsInode: try names.renamedFileKeepsItsInode()
        case .failsToListWhatIsMissing: try names.failsToListWhatIsMissing()
        case .readsBackWrites: try contents.readsBackWrites()
        case .zerosPastTheEnd: try contents.zerosPastTheEnd()
        case .writePastTheEndLeavesAHole: try contents.writePastTheEndLeavesAHole()
        case .resizeCutsAndGrowsWithZeros: try contents.resizeCutsAndGrowsWithZeros()
        case .punchedBlocksReadZero: try contents.punchedBlocksReadZero()
        case .zeroedRangeReadsZero: try contents.zeroedRangeReadsZero()
        case .allocatedRangeReadsAsBefore: try contents.allocatedRangeReadsAsBefore()
        case .twoHandlesSeeOneFile: try contents.twoHandlesSeeOneFile()
        case .readOnlyRefusesWrites: try contents.readOnlyRefusesWrites()
        case .cachedReadsAgree: try contents.cachedReadsAgree()
        case .extentsAreExactPerBlock: try extents.extentsAreExactPerBlock()
        case .writtenZerosAreData: try extents.writtenZerosAreData()
        case .partialPunchKeepsData: try extents.partialPunchKeepsData()
        case .partialWriteMakesData: try extents.partialWriteMakesData()
        case .punchMakesAHole: try extents.punchMakesAHole()
        case .emptyFileHasNoData: try extents.emptyFileHasNoData()
        case .endOfFileIsAHole: try extents.endOfFileIsAHole()
        case .extentsSurviveSync: try extents.extentsSurviveSync()
        case .mappingShowsTheFile: try mappings.mappingShowsTheFile()
        case .storesAreInTheFile: try mappings.storesAreInTheFile()
        case .storesOutliveTheMapping: try mappings.storesOutliveTheMapping()
        case .mappedStoresAreData: try mappings.mappedStoresAreData()
        case .lockIsExclusive: try mappings.lockIsExclusive()
        }
    }
}

extension DiskFile {
    /// `count` bytes from `offset`.
    public func bytes(at offset: Int, count: Int) throws(BlockFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count)
        try bytes.writeBytes { (span) throws(BlockFailure) in try read(at: ByteOffset(offset), into: &span) }
        return bytes
    }
    /// Writes an array at `offset`.
    public func put(_ bytes: [UInt8], at offset: Int, durably: Bool = false) throws(BlockFailure) {
        try bytes.readBytes { (span) throws(BlockFailure) in
            try write(span, at: ByteOffset(offset), durably: durably)
        }
    }
    /// The blocks that SEEK_DATA calls data, up to the end of the file.
    public func dataBlocks() throws(BlockFailure) -> [Int] {
        var blocks: [Int] = [], at = ByteOffset(0)
        while let start = try nextData(from: at) {
            at = try nextHole(from: start)
            blocks += start.bytes / 4096..<(at.bytes + 4095) / 4096
        }
        return blocks
    }
}
