internal import Blocks
internal import Catalog

/// Which snapshots are asked for; nil: as far as this goes, all.
public struct SnapshotSelection: Sendable {
    /// Most values that ``owners``, ``ids`` and ``volumes`` may have.
    public static let valuesMax = 1000

    /// Only these accounts'.
    public var owners: [String]?
    /// Only these.
    public var ids: [String]?
    /// Only those taken of these volumes, which may be gone.
    public var volumes: [String]?
    /// Only those with later ids.
    public var after: String?
    /// So many at most.
    public var limit: Int?

    /// All of them.
    public init() {}
}

/// A part of a list of snapshots.
public struct SnapshotPage: Sendable {
    /// What is on it, in the order of ids.
    public var snapshots: [SnapshotView]
    /// Where the next one begins (``SnapshotSelection/after``); nil: nothing follows.
    public var reached: String?
}

extension SnapshotService {
    /// A part of what the caller may use, its own and what is shared with it, in the order of ids. Costs what it answers, however
    /// many there are; and where others share much that they hide, it ends before it is full.
    public func page(_ selection: SnapshotSelection) async throws -> SnapshotPage {
        try await ServiceError.about(.snapshot) {
            for values in [selection.owners, selection.ids, selection.volumes]
            where (values?.count ?? 0) > SnapshotSelection.valuesMax {
                throw ServiceError(
                    .invalid, .snapshot, "more than \(SnapshotSelection.valuesMax) ids cannot be asked for at once")
            }
            let courses = house.courses
            let (part, details) = try await house.catalog.change { [caller] session in
                var own = SnapshotPart([], reached: nil)
                if selection.owners?.contains(caller.account) ?? true {
                    own = SnapshotPart(
                        try session.snapshots(
                            of: caller.account, ids: selection.ids, volumes: selection.volumes,
                            after: selection.after, limit: selection.limit), limit: selection.limit)
                }
                // Past the last of a full page of its own nothing is on this page: whoever shares all it has does not read all
                // that for each of its pages.
                let shared = try session.snapshots(
                    sharedWith: caller.account, owners: selection.owners, ids: selection.ids,
                    volumes: selection.volumes, after: selection.after, last: own.reached, limit: selection.limit)
                let part = own.joined(with: shared, limit: selection.limit)
                var details = try session.details(ofSnapshots: part.records.map(\.id))
                let others = part.records.filter { $0.account != caller.account }.map(\.id)
                if !others.isEmpty { details.shareeTags = try session.shareeTags(onAll: others, by: caller.account) }
                return (part, details)
            }
            return SnapshotPage(
                snapshots: part.records.map { view($0, details, courses) }, reached: part.reached)
        }
    }

    /// All that is selected, in the order of ids, as many as there are. Read in parts, so that whoever else needs the catalog waits for
    /// one at most: what is made or goes meanwhile may be among them or not.
    public func all(_ selection: SnapshotSelection) async throws -> [SnapshotView] {
        var part = selection
        part.limit = SnapshotSelection.valuesMax
        var found: [SnapshotView] = []
        while true {
            let page = try await page(part)
            found += page.snapshots
            guard let reached = page.reached else { return found }
            part.after = reached
        }
    }

    /// One of many, as its owner or, if that is not the caller, others see it.
    func view(
        _ record: SnapshotRecord, _ details: SnapshotDetails, _ courses: [String: UploadCourse]
    ) -> SnapshotView {
        let shares = details.shares[record.id] ?? []
        guard record.account == caller.account else {
            var view = SnapshotView(courses, record, nil, house).seenByOthers
            view.tags = details.shareeTags[record.id]
            view.sharing = SnapshotSharing(shares.filter { [caller.account, ShareRecord.everybody].contains($0) })
            return view
        }
        var view = SnapshotView(courses, record, details.exports[record.id], house)
        view.tags = details.tags[record.id]
        view.policy = details.policies[record.id].map { SnapshotPolicyView($0) }
        view.sharing = SnapshotSharing(shares)
        view.damage = details.damage[record.id].map {
            SnapshotDamageView($0, size: record.volumeSize.bytes, all: false)
        }
        return view
    }
}
