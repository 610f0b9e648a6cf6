internal import ControlPlane

extension ECSDialect {
    static let policyActions = [
        ECSAction(
            "CreateAutoSnapshotPolicy", isChange: true,
            lacks:
                "TargetTags without a value are refused; the newest snapshot of a disk stays beyond its time until the next is "
                + "stored; more than 2,000 automatic snapshots of a disk are kept", noRegion: noRegion, createPolicy),
        ECSAction(
            "ModifyAutoSnapshotPolicyEx", isChange: true, lacks: "TargetTags without a value are refused",
            noRegion: noRegion, modifyPolicy),
        ECSAction("DeleteAutoSnapshotPolicy", isChange: true, noRegion: noRegion, deletePolicy),
        ECSAction("DescribeAutoSnapshotPolicyEx", isChange: false, noRegion: noRegion, describePolicies),
        ECSAction("DescribeAutoSnapshotPolicyAssociations", isChange: false, noRegion: noRegion, describeAssociations),
        ECSAction("ApplyAutoSnapshotPolicy", isChange: true, noRegion: noRegion, applyPolicy),
        ECSAction("CancelAutoSnapshotPolicy", isChange: true, noRegion: noRegion, cancelPolicy),
    ]

    private static let noRegion = ECSFailure.policyParameter("RegionId")
    /// Policies that a disk may be under.
    private static let policiesMax = 10

    // MARK: Policies

    private static let createPolicy: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let words = try PolicyWords(call)
        let tags = try Tags.read(call.parameters), group = try ResourceGroups.wanted(call)
        try call.dryRun()
        let made = try await call.verbs.policies.create(words.plan(on: []), tags: tags, resourceGroup: group)
        return .of { $0.add("AutoSnapshotPolicyId", ECSID.name(made.id, .policy)) }
    }

    private static let modifyPolicy: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let policy = try await policy(call)
        _ = try PolicyWords(call, of: policy.words)
        try call.dryRun()
        do {
            _ = try await call.verbs.policies.change(policy.view.id) { plan in
                guard let words = PolicyWords(plan) else { throw ECSFailure.noPolicy }
                return try PolicyWords(call, of: words).plan(on: plan.targets.ids)
            }
        } catch { throw gone(error) }
        return ECSFields()
    }

    private static let deletePolicy: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let policy = try await policy(call)
        try call.dryRun()
        do { try await call.verbs.policies.delete(policy.view.id) } catch { throw gone(error) }
        return ECSFields()
    }

    private static let describePolicies: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let id = call.parameters.policy("autoSnapshotPolicyId")
        let name = call.parameters.policy("autoSnapshotPolicyName")
        let tags = try Tags.filter(call.parameters), group = try ResourceGroups.filter(call)
        let pages = try ECSPages(call)
        let present = try await presentDisks(call), groups = try await ResourceGroups(call)
        let found = try await policies(call).filter { policy in
            (id == nil || ECSID.name(policy.view.id, .policy) == id) && (name == nil || policy.words.name == name)
                && Tags.match(policy.view.tags, tags) && (group == nil || groups.name(of: policy.view.id) == group)
        }
        let page = pages.page(of: found, call) { ($0.view.createdAt, $0.view.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "AutoSnapshotPolicies", listOf: "AutoSnapshotPolicy",
                page.items.map { policy in
                    policy.words.write(
                        policy.view, disks: policy.volumes.count { present.contains($0) },
                        in: groups.name(of: policy.view.id), call)
                })
        }
    }

    // MARK: Disks of policies

    private static let describeAssociations: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let policyID = call.parameters.policy("autoSnapshotPolicyId"), diskID = call.parameters.policy("diskId")
        guard policyID == nil || diskID == nil else { throw ECSFailure.parameter("DiskId") }
        let pages = try ECSPages(call)
        let present = try await presentDisks(call)
        let rows = try await policies(call).flatMap { policy in
            policy.volumes.filter { present.contains($0) }.compactMap { volume -> Association? in
                guard let id = ECSID.name(policy.view.id, .policy), let disk = ECSID.name(volume, .disk),
                    policyID == nil || policyID == id, diskID == nil || diskID == disk
                else { return nil }
                return Association(policy: policy.view, id: id, disk: disk)
            }
        }
        let page = pages.page(of: rows, call) { ($0.policy.createdAt, "\($0.id) \($0.disk)") }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "AutoSnapshotPolicyAssociations", listOf: "AutoSnapshotPolicyAssociation",
                page.items.map { row in
                    ECSFields.of {
                        $0.add("AutoSnapshotPolicyId", row.id)
                        $0.add("DiskId", row.disk)
                    }.value
                })
        }
    }

    private struct Association {
        let policy: PolicyView
        let id: String
        let disk: String
    }

    private static let applyPolicy: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let policy = try await policy(call)
        let volumes = try await disks(call, badList: 403)
        try call.dryRun()
        do {
            _ = try await call.verbs.policies.add(volumes: volumes, to: policy.view.id, policiesMax: policiesMax)
        } catch let error as ServiceError {
            guard error.code == .limitExceeded, error.noun == .volume else { throw gone(error) }
            let all = try await policies(call)
            let full = volumes.first { id in all.count { $0.volumes.contains(id) } >= policiesMax } ?? volumes[0]
            throw ECSFailure(
                403, "QuotaExceed.AppliedAutoSnapshotPolicyQuota",
                "The number of auto snapshot policies applied to the specified disk \(ECSID.name(full, .disk) ?? full) has "
                    + "exceeded the quota \(policiesMax). Please cancel any unused policies and try again.",
                logged: error.description)
        }
        return ECSFields()
    }

    private static let cancelPolicy: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let named = try await call.parameters.policy("autoSnapshotPolicyId") == nil ? nil : policy(call).view.id
        let volumes = try await disks(call, badList: 404)
        let all = try await policies(call)
        var removals: [String: [String]] = [:]
        for volume in volumes {
            let under = all.filter { $0.volumes.contains(volume) }.map(\.view.id)
            guard named != nil || under.count <= 1 else {
                throw ECSFailure(
                    403, "OperationDenied.TooManyAutoSnapshotPolicies",
                    "The disk \(ECSID.name(volume, .disk) ?? volume) has several automatic snapshot policies: specify one."
                )
            }
            if let id = named ?? under.first { removals[id, default: []].append(volume) }
        }
        try call.dryRun()
        for (id, volumes) in removals.sorted(by: { $0.key < $1.key }) {
            do { _ = try await call.verbs.policies.remove(volumes: volumes, from: id) } catch { throw gone(error) }
        }
        return ECSFields()
    }

    /// The control plane's ids of what `diskIds` names, each once.
    private static func disks(_ call: ECSCall, badList status: Int) async throws -> [String] {
        let bad = ECSFailure(status, "ParameterInvalid", "The specified DiskIds are invalid.")
        let missing = ECSFailure(
            404, "InvalidDiskId.NotFound", "The specified disk does not exist in the region.")
        guard let names = JSONTexts.read(try call.parameters.neededPolicy("diskIds")), !names.isEmpty,
            names.count <= 100
        else { throw bad }
        var volumes: [String] = []
        for name in names {
            let id = try await call.disk(named: name, orElse: missing).id
            if !volumes.contains(id) { volumes.append(id) }
        }
        return volumes
    }

    // MARK: Finding them

    /// A policy that this cloud has words for.
    struct Policy: Sendable {
        let view: PolicyView
        let words: PolicyWords
        /// That it is on, by their names or now by their instances' tags.
        let volumes: [String]

        /// - Parameter instances: the account's.
        init?(_ view: PolicyView, _ instances: [InstanceView]) {
            guard let plan = view.plan, let words = PolicyWords(plan) else { return nil }
            self.view = view
            self.words = words
            let wanted = instances.filter { instance in
                instance.state != .terminated && words.tags.contains { instance.tags?[$0.key] == $0.value }
            }
            volumes = words.tags.isEmpty ? plan.targets.ids : wanted.flatMap { $0.disks.map(\.volumeId) }
        }
    }

    static func policies(_ call: ECSCall) async throws -> [Policy] {
        let views = try await call.verbs.policies.outlines()
        let instances = try await views.isEmpty ? [] : call.verbs.instances.list()
        return views.compactMap { Policy($0, instances) }
    }

    private static func policy(_ call: ECSCall) async throws -> Policy {
        let name = try call.parameters.neededPolicy("autoSnapshotPolicyId")
        guard name.hasPrefix(ECSID.Kind.policy.prefix) else {
            throw ECSFailure.policyParameter("AutoSnapshotPolicyId")
        }
        guard let id = ECSID.native(name, .policy) else { throw ECSFailure.noPolicy }
        do {
            let view = try await call.verbs.policies.show(id), instances = try await call.verbs.instances.list()
            guard let policy = Policy(view, instances) else { throw ECSFailure.noPolicy }
            return policy
        } catch { throw gone(error) }
    }

    /// Somebody deleted it just now, or nobody ever made it.
    private static func gone(_ error: any Error) -> any Error {
        guard let error = error as? ServiceError, error.code == .missing, error.noun == .policy else { return error }
        return ECSFailure.noPolicy
    }

    private static func presentDisks(_ call: ECSCall) async throws -> Set<String> {
        Set(try await call.verbs.volumes.list().filter { $0.state != .deleting }.map(\.id))
    }
}
