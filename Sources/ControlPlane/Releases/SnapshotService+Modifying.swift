internal import Blocks
internal import Catalog

extension SnapshotService {
    /// Changes a snapshot's name, description, instant access, or when it is deleted by itself: all that is asked for, or nothing.
    public func modify(_ id: String, _ change: ModifySnapshot) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            try Limits.check(name: change.name?.isEmpty == true ? nil : change.name, .snapshot)
            try Limits.check(description: change.description, .snapshot)
            _ = try await house.snapshotRecord(id, for: caller)
            let now = house.clock.now()
            try await house.catalog.change { session in
                guard var snapshot = try session.snapshot(id), snapshot.isPresent else {
                    throw Household.noSnapshot(id)
                }
                try snapshot.mustBeCut()
                if let name = change.name { snapshot.name = name.isEmpty ? nil : name }
                if let text = change.description { snapshot.description = text.isEmpty ? nil : text }
                if let isInstant = change.hasInstantAccess {
                    // What was told to be available stays so.
                    guard isInstant || !snapshot.hasInstantAccess || snapshot.state == .completed else {
                        throw ServiceError(
                            .wrongState, .snapshot,
                            "the snapshot \(id) is not stored yet: until it is, its instant access cannot be taken")
                    }
                    snapshot.hasInstantAccess = isInstant
                }
                try session.update(snapshot)
                guard let release = change.release else { return }
                try session.set(releaseAt: Self.time(of: release, snapshot, now), ofSnapshot: id)
            }
            if change.release != nil { house.releases.lookSoon() }
            house.announce(id)
            return try await find(id)
        }
    }

    private static func time(
        of release: ModifySnapshot.Release, _ snapshot: SnapshotRecord, _ now: WallTime
    ) throws -> WallTime? {
        switch release {
        case .never: return nil
        case .when(let wanted):
            try wanted.check(madeAt: snapshot.createdAt, at: now)
            return wanted.time(madeAt: snapshot.createdAt)
        case .later(let wanted):
            try wanted.check(madeAt: snapshot.createdAt, at: now)
            let time = wanted.time(madeAt: snapshot.createdAt)
            guard let present = snapshot.releaseAt, time >= present else {
                let until = snapshot.releaseAt.map { "until \($0)" } ?? "for ever"
                throw ServiceError(
                    .wrongState, .snapshot, "the snapshot \(snapshot.id) is kept \(until): it can only be kept longer")
            }
            return time
        }
    }
}
