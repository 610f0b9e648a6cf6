internal import ArgumentParser

/// `varve snapshot ...`
struct SnapshotCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Take, show, compare, share, export and delete snapshots.",
        subcommands: [
            SnapshotCreate.self, SnapshotList.self, SnapshotShow.self, SnapshotWatch.self, SnapshotModify.self,
            SnapshotURI.self,
            SnapshotDetach.self, SnapshotExport.self, SnapshotDiffCommand.self, SnapshotVerify.self,
            SnapshotShare.self, SnapshotCopy.self, SnapshotLock.self, SnapshotUnlock.self,
            SnapshotArchive.self, SnapshotUnarchive.self, SnapshotFast.self, SnapshotDelete.self,
        ])
}
