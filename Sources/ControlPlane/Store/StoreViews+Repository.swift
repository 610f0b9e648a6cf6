internal import Blocks
internal import Repository

// The repository's reports have the same names as the views made from them, so they are taken apart where they come in.

extension VerifyReport {
    init(_ findings: [Finding], snapshots: Int, read: ByteCount, locked: [SnapshotID]) {
        self.init(
            snapshotCount: snapshots, checkedBytes: read.bytes,
            problems: findings.prefix(Self.problemsMax).map(Self.sentence))
        if !locked.isEmpty { lockedSnapshotIds = locked.map(\.text) }
    }

    private static func sentence(_ finding: Finding) -> String {
        var text = "\(finding.object): \(finding.problem)"
        if let snapshot = finding.snapshot { text += "; needed by \(snapshot)" }
        if let blocks = finding.blocks {
            text += ", bytes \(blocks.bytes.start.bytes) to \(blocks.bytes.end.bytes)"
        }
        return text
    }
}

extension Repository {
    /// Checks the given snapshots, or all. What is live is not the repository's to look at; see ``LiveCheck``.
    ///
    /// - Returns: also the packs that something is wrong with.
    func check(
        _ level: VerifyLevel, snapshots: [SnapshotID]? = nil
    ) throws(RepositoryFailure) -> (VerifyReport, suspects: Set<PackName>) {
        let report =
            switch level {
            case .listing: try verify(.listing, snapshots: snapshots)
            case .structure: try verify(.structure, snapshots: snapshots)
            case .sample: try verify(.sample, snapshots: snapshots)
            case .everything, .live: try verify(.everything, snapshots: snapshots)
            }
        return (
            VerifyReport(
                report.findings, snapshots: report.snapshots, read: report.bytesRead, locked: report.locked),
            packs(in: report.findings)
        )
    }

    /// Counts and bytes, with where they were counted.
    func count(at location: String) throws(RepositoryFailure) -> StoreStatus {
        let found = try status()
        var view = StoreStatus(location: location, repositoryId: id)
        view.snapshotCount = found.snapshots
        view.trashCount = found.trashed
        view.uploadCount = found.uploads
        view.packCount = found.packs
        view.storedBytes = found.packBytes.bytes
        view.reclaimableBytes = found.unneededBytes.bytes
        view.logicalBytes = found.fullBytes.bytes
        view.unreadable = found.unreadable.prefix(StoreStatus.unreadableMax).map { finding in
            StoreStatus.Unreadable(id: finding.snapshot?.text ?? "", problem: "\(finding.object): \(finding.problem)")
        }
        return view
    }

    /// Frees what nothing needs.
    func free(_ plan: ReclaimPlan) throws(RepositoryFailure) -> ReclaimReport {
        let report = try reclaim(plan)
        var view = ReclaimReport(
            freedPacks: report.packsFreed, freedBytes: report.bytesFreed.bytes,
            expiredSnapshots: report.manifestsFreed, waitingPacks: report.packsWaiting)
        view.reason = report.doubts.first.map { doubt in
            let more = report.doubts.count > 1 ? ", and \(report.doubts.count - 1) more like it" : ""
            return "no pack was freed, because it cannot be told what the deleted snapshot "
                + "\(doubt.snapshot?.text ?? "") needs (\(doubt.object): \(doubt.problem)\(more)): wait until its grace "
                + "period is over, or reclaim with a shorter one"
        }
        return view
    }
}
