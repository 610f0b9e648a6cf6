internal import ControlPlane

extension KingsoftDialect {
    static let policyActions: [KingsoftAction] = [
        .change(
            .kec, "CreateAutoSnapshotPolicy",
            lacks: "without a RetentionTime the newest 7 of each volume are kept",
            createPolicy),
        .change(.kec, "ModifyAutoSnapshotPolicy", modifyPolicy),
        .look(
            .kec, "DescribeAutoSnapshotPolicy", knows: ["AutoSnapshotPolicyName", "AutoSnapshotPolicyId"],
            describePolicies),
        .change(.kec, "DeleteAutoSnapshotPolicy", deletePolicies),
        .change(.kec, "ApplyAutoSnapshotPolicy") { call in
            try await attach(call) { policy, volumes in
                _ = try await call.verbs.policies.add(volumes: volumes, to: policy, atMost: volumesMax)
            }
        },
        .change(.kec, "CancelAutoSnapshotPolicy") { call in
            try await attach(call) { policy, volumes in
                _ = try await call.verbs.policies.remove(volumes: volumes, from: policy)
            }
        },
    ]

    /// Policies of a region, and volumes of a policy.
    private static let policiesMax = 10
    private static let volumesMax = 50

    private static let createPolicy: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let words = try PolicyWords(call.parameters)
        try call.dryRun()
        let made = try await call.verbs.policies.create(words.plan(on: []), atMost: policiesMax)
        return .with { $0.add("AutoSnapshotPolicyId", KingsoftID.uuid(made.id, .policy)) }
    }

    private static let modifyPolicy: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let policy = try await policy(uuid: try call.parameters.required("AutoSnapshotPolicyId"), call)
        _ = try PolicyWords(call.parameters, of: policy.words)
        try call.dryRun()
        _ = try await call.verbs.policies.change(policy.view.id) { plan in
            guard let words = PolicyWords(plan) else { throw KingsoftFailure.noPolicy }
            return try PolicyWords(call.parameters, of: words).plan(on: plan.targets.ids)
        }
        return .done
    }

    private static let describePolicies: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let ids = call.parameters.list("AutoSnapshotPolicyId").map { $0.lowercased() }
        let name = call.parameters["AutoSnapshotPolicyName"]
        let present = Set(try await call.verbs.volumes.list().map(\.id))
        let found = try await call.verbs.policies.outlines().compactMap { policy -> KingsoftFields? in
            guard let uuid = KingsoftID.uuid(policy.id, .policy), let plan = policy.plan,
                let words = PolicyWords(plan),
                ids.isEmpty || ids.contains(uuid), name == nil || name == words.name
            else { return nil }
            return words.fields(policy, uuid, volumes: plan.targets.ids.count { present.contains($0) })
        }
        return .with { fields in
            fields.add("AutoSnapshotPolicySize", found.count)
            fields.add("AutoSnapshotPolicySet", found)
        }
    }

    private static let deletePolicies: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let uuids = call.parameters.list("AutoSnapshotPolicyId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("AutoSnapshotPolicyId") }
        var ids: [String] = []
        for uuid in uuids { ids.append(try await policy(uuid: uuid, call).view.id) }
        try call.dryRun()
        for id in Set(ids) { try await call.verbs.policies.delete(id) }
        return .with { $0.add("AutoSnapshotPolicySet", .texts(uuids.map { $0.lowercased() })) }
    }

    /// Of volumes of which this cloud takes no snapshots no policy takes any.
    private static func attach(
        _ call: KingsoftCall, _ body: (String, [String]) async throws -> Void
    ) async throws -> KingsoftFields {
        let uuid = try call.parameters.required("AutoSnapshotPolicyId")
        let uuids = call.parameters.list("AttachVolumeId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("AttachVolumeId") }
        let policy = try await policy(uuid: uuid, call)
        var volumes: [String] = []
        for uuid in uuids {
            guard let id = KingsoftID.id(uuid, .volume) else { throw KingsoftFailure.noVolume }
            let volume = try await call.verbs.volumes.show(id)
            guard !VolumeTypes.withoutSnapshots.contains(volume.profile.kind) else {
                throw KingsoftFailure(
                    .volumeTypeNotSupportSnapshot,
                    "The volume \(uuid.lowercased()) is of type \(volume.profile.kind), which has no snapshots.")
            }
            if !volumes.contains(id) { volumes.append(id) }
        }
        try call.dryRun()
        try await body(policy.view.id, volumes)
        return .with { fields in
            fields.add(
                "ReturnSet",
                .with { set in
                    set.add("AutoSnapshotPolicyId", uuid.lowercased())
                    set.add("AttachVolumeIdSuccess", .texts(volumes.compactMap { KingsoftID.uuid($0, .volume) }))
                })
        }
    }

    private static func policy(
        uuid: String, _ call: KingsoftCall
    ) async throws -> (view: PolicyView, words: PolicyWords, volumes: [String]) {
        guard let id = KingsoftID.id(uuid, .policy) else { throw KingsoftFailure.noPolicy }
        let view = try await call.verbs.policies.show(id)
        // What this version cannot read, and what this cloud has no words for, is nobody's here.
        guard let plan = view.plan, let words = PolicyWords(plan) else { throw KingsoftFailure.noPolicy }
        return (view, words, plan.targets.ids)
    }
}
