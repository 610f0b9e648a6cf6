internal import Blocks
internal import Catalog

/// Volumes that are put under a policy one by one, and taken from it: each in one transaction, so that two who do so at once lose
/// nothing of each other's.
extension PolicyService {
    /// Puts volumes under a policy.
    ///
    /// - Parameters:
    ///   - most: volumes that it may have then; nil: as many as any policy.
    ///   - policiesMax: policies to which a volume was added that it may be under then; nil: this one, so it is taken from the
    ///     account's others that may be without any.
    public func add(
        volumes: [String], to id: String, atMost most: Int? = nil, policiesMax: Int? = nil
    ) async throws -> PolicyView {
        try await ServiceError.about(.policy) {
            try caller.mayChange(.policy)
            for volume in volumes { _ = try await house.volumeRecord(volume, for: caller) }
            var leaving: [String] = []
            while true {
                do {
                    return try await rewrite(id, with: leaving) { [leaving] record, session in
                        try Self.add(volumes, to: &record, atMost: most)
                        let others = try session.policies(of: record.account).filter { $0.id != id }
                        if let policiesMax { return try Self.check(volumes, atMost: policiesMax, beside: others) }
                        let changed = try others.compactMap { try Self.without(volumes, $0) }
                        guard changed.allSatisfy({ leaving.contains($0.id) }) else {
                            throw Leaving(policies: changed.map(\.id))
                        }
                        for other in changed { try session.update(other) }
                    }
                } catch let more as Leaving { leaving = more.policies }
            }
        }
    }

    /// Other policies lose volumes, too: nothing is changed but in the lanes of all that are (``LetGo``), and which ones these are is
    /// known for sure only there. So nothing was, and it is done again in theirs.
    private struct Leaving: Error { let policies: [String] }

    private static func add(_ volumes: [String], to record: inout PolicyRecord, atMost most: Int?) throws {
        let id = record.id
        var plan = try joined(record.plan, id)
        plan.targets.ids += volumes.filter { !plan.targets.ids.contains($0) }
        if let most, plan.targets.ids.count > most {
            throw ServiceError(
                .limitExceeded, .policy,
                "the policy \(id) would have \(plan.targets.ids.count) volumes: "
                    + "\(most) are the most", quota: .policies)
        }
        try plan.check(at: record.modifiedAt)
        record.plan = try plan.text()
    }

    private static func check(
        _ volumes: [String], atMost policiesMax: Int, beside others: [PolicyRecord]
    ) throws {
        let taken = others.compactMap { PolicyPlan.readable($0.plan) }.filter(\.targets.mayBeNone).map {
            Set($0.targets.ids)
        }
        for volume in volumes where taken.count(where: { $0.contains(volume) }) >= policiesMax {
            throw ServiceError(
                .limitExceeded, .volume,
                "the volume \(volume) is under \(policiesMax) policies: take it from one of them first")
        }
    }

    /// Takes volumes from a policy; those that it does not have are no error.
    public func remove(volumes: [String], from id: String) async throws -> PolicyView {
        try await ServiceError.about(.policy) {
            try caller.mayChange(.policy)
            return try await rewrite(id) { record, _ in
                var plan = try Self.joined(record.plan, id)
                plan.targets.ids.removeAll { volumes.contains($0) }
                record.plan = try plan.text()
            }
        }
    }

    /// The plan of a policy that volumes can be put under.
    private static func joined(_ text: String, _ id: String) throws -> PolicyPlan {
        let plan = try PolicyPlan(text: text)
        guard plan.targets.mayBeNone else {
            throw ServiceError(
                .wrongState, .policy, "the policy \(id) finds its volumes by itself: change its plan instead")
        }
        return plan
    }

    /// A policy once volumes are taken from it, its schedules as they are; nil: it had none of them.
    private static func without(_ volumes: [String], _ policy: PolicyRecord) throws -> PolicyRecord? {
        guard var plan = try? PolicyPlan(text: policy.plan), plan.targets.mayBeNone else { return nil }
        let before = plan.targets.ids
        plan.targets.ids.removeAll { volumes.contains($0) }
        guard plan.targets.ids != before else { return nil }
        var record = policy
        record.plan = try plan.text()
        return record
    }
}
