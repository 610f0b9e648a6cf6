internal import Blocks
internal import Catalog
internal import Repository

extension Household {
    /// Checks snapshots, and brings the marks of those that are degraded up to date. Blocks on the store.
    func checked(_ level: VerifyLevel, snapshots: [SnapshotID]? = nil) throws -> VerifyReport {
        let (report, suspects) = try door.repository().check(level, snapshots: snapshots)
        let isMarked = try !catalog.changeWaiting { try $0.damages() }.isEmpty
        if !report.isSound || isMarked { try care.round(suspects: suspects, in: self) }
        return report
    }
}
