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
            return try await rewrite(id) { record, session in
                var plan = try Self.joined(record.plan, id)
                plan.targets.ids += volumes.filter { !plan.targets.ids.contains($0) }
                if let most, plan.targets.ids.count > most {
                    throw ServiceError(
                        .limitExceeded, .policy,
                        "the policy \(id) would have \(plan.targets.ids.count) volumes: "
                            + "\(most) are the most", quota: .policies)
                }
                try plan.check(at: record.modifiedAt)
                record.plan = try plan.text()
                let others = try session.policies(of: record.account).filter { $0.id != id }
                if let policiesMax {
                    try Self.check(volumes, atMost: policiesMax, beside: others)
                } else {
                    for other in others { try Self.remove(volumes, from: other, session) }
                }
            }
        }
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

    /// Its schedules stay as they are.
    private static func remove(_ volumes: [String], from policy: PolicyRecord, _ session: CatalogSession) throws {
        guard var plan = try? PolicyPlan(text: policy.plan), plan.targets.mayBeNone else { return }
        let before = plan.targets.ids
        plan.targets.ids.removeAll { volumes.contains($0) }
        guard plan.targets.ids != before else { return }
        var record = policy
        record.plan = try plan.text()
        try session.update(record)
    }
}
