internal import Blocks
internal import Catalog
internal import Repository

/// How the upload of a snapshot of no volume ends, on the thread that ran it.
extension Household {
    /// Its manifest is in the store.
    func recordCompleted(_ id: String, _ manifest: Manifest, _ kind: TaskView.Kind) throws {
        let now = clock.now()
        let (isDoubtful, policy) = try catalog.changeWaiting { session -> (Bool, String?) in
            guard var snapshot = try session.snapshot(id) else { return (false, nil) }
            snapshot.state = .completed
            snapshot.reason = nil
            snapshot.changed = manifest.changedBytes
            snapshot.stored = manifest.storedBytes
            snapshot.full = manifest.fullBytes
            snapshot.completedAt = manifest.completed
            try session.update(snapshot)
            try session.recount(lineageOfStranger: snapshot, at: now)
            try session.deleteCopiedPacks(of: id)
            try session.endTasks(ofSubject: id, kind: kind.rawValue, as: .succeeded, nil, at: now)
            let isDoubtful = try snapshot.parentID.flatMap { try session.damage(of: $0) } != nil
            return (isDoubtful, try session.policySnapshot(id)?.policyID)
        }
        if isDoubtful { scrub.lookSoon() }
        fast.lookSoon()
        inheritance.lookSoon()
        if let policy { look(at: policy) }
    }

    /// Its writer, if any, has ended: no other is made of one that says `error`. What fails after the record the caretaker's
    /// rounds do.
    func recordFailed(_ id: String, _ reason: String, _ kind: TaskView.Kind) throws {
        let now = clock.now()
        let policy = try catalog.changeWaiting { session -> String? in
            guard var snapshot = try session.snapshot(id), snapshot.state == .pending else { return nil }
            snapshot.state = .error
            snapshot.reason = reason
            try session.update(snapshot)
            try session.deleteCopiedPacks(of: id)
            try session.endTasks(ofSubject: id, kind: kind.rawValue, as: .failed, reason, at: now)
            return try session.policySnapshot(id)?.policyID
        }
        if let policy { look(at: policy) }
    }

    /// A copy's policy is another region's.
    private func look(at policy: String) {
        for house in neighbours.all { house.scheduler.look(at: policy) }
    }
}
