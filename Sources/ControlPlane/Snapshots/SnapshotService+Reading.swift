internal import Blocks
internal import Catalog
internal import Repository

extension [BlockRange] {
    /// Ascending, no two touching.
    fileprivate var joinedRuns: [BlockRange] {
        var joined: [BlockRange] = []
        for run in sorted(by: { $0.start < $1.start }) {
            if let last = joined.last, run.start <= last.end {
                joined[joined.count - 1] = BlockRange(from: last.start, to: Swift.max(last.end, run.end))
            } else {
                joined.append(run)
            }
        }
        return joined
    }
}

/// Looking into snapshots.
extension SnapshotService {
    /// Offers a snapshot read-only over NBD, also a pending one; ready when the call returns. Repeating it is harmless.
    public func attach(_ id: String) async throws -> AttachmentView {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            // Before the lane: it asks the store.
            let wanted = try await house.snapshotRecord(id, for: caller)
            if wanted.state == .completed { try await house.requireKey(wanted.dataKey) }
            return try await house.lanes.run(id) {
                let record = try await house.snapshotRecord(id, for: caller)
                try record.mustHaveContent()
                try record.mustNotBeArchived(at: house.clock.now())
                if let present = try await house.catalog.change({ try $0.snapshotExport(id) }) {
                    return AttachmentView(present, house)
                }
                let made = AttachmentRecord(objectID: id, host: "local", attachedAt: house.clock.now())
                try await house.catalog.change { session in
                    guard try session.snapshot(id)?.isPresent == true else { throw Household.noSnapshot(id) }
                    try session.exportSnapshot(made)
                }
                do {
                    try await house.exports.publish(id, device: SnapshotDevice(house.source(of: record)))
                } catch {
                    try? await house.catalog.change { try $0.withdrawSnapshot(id) }
                    throw error
                }
                house.announce(id)
                return AttachmentView(made, house)
            }
        }
    }

    /// Ends the read-only export. No error if there is none.
    public func detach(_ id: String) async throws -> SnapshotView {
        try await ServiceError.about(.attachment) {
            try caller.mayChange(.attachment)
            let record = try await house.lanes.run(id) {
                let record = try await house.snapshotRecord(id, for: caller)
                await house.exports.withdraw(id)
                try await house.catalog.change { try $0.withdrawSnapshot(id) }
                return record
            }
            house.announce(id)
            return SnapshotView([:], record, nil, house)
        }
    }

    /// Where two completed snapshots differ (whole blocks, a superset); past the end of the smaller one the larger
    /// one's data differs.
    public func diff(_ a: String, _ b: String) async throws -> SnapshotDiff {
        try await ServiceError.about(.snapshot) {
            let first = try await house.completedSnapshot(a, for: caller)
            let second = try await house.completedSnapshot(b, for: caller)
            for record in [first, second] { try record.mustNotBeArchived(at: house.clock.now()) }
            let end = ByteOffset(max(first.volumeSize, second.volumeSize).bytes)
            return try await house.remote.run { [house] in
                let diff = try house.door.repository().diff(from: StoreDoor.id(a), to: StoreDoor.id(b))
                let runs = try diff.ranges().joinedRuns
                let ranges = runs.compactMap { $0.bytes.intersection(ByteRange(from: 0, to: end)) }
                    .map { SnapshotDiff.Range(offset: $0.start.bytes, length: $0.count.bytes) }
                return SnapshotDiff(ranges: ranges, bytes: ranges.reduce(0) { $0 + $1.length })
            }
        }
    }

    /// Checks what the snapshot needs, by default every hash; at level `live` also the volumes that count their changes
    /// from it.
    public func verify(_ id: String, _ level: VerifyLevel = .everything) async throws -> VerifyReport {
        try await ServiceError.about(.snapshot) {
            // It may make a volume's next snapshot full.
            if level == .live { try caller.mayChange(.snapshot) }
            _ = try await house.completedSnapshot(id, for: caller)
            var report = try await house.remote.run { [house] in
                try house.checked(level, snapshots: [StoreDoor.id(id)])
            }
            if level == .live { try await LiveCheck(house: house).run(id, of: caller.account, into: &report) }
            return report
        }
    }
}
