internal import Blocks
public import ControlPlane
internal import FoundationEssentials
internal import RequestSigning

/// Amazon's Data Lifecycle Manager: policies in its words, over JSON. Call from any task.
public struct DLMDialect: Sendable {
    private let house: House

    /// Serves `house`.
    public init(_ house: House) { self.house = house }

    /// Every operation.
    static let operations: [RESTOperation<DLMCall>] = [
        RESTOperation("CreateLifecyclePolicy", "POST", "/policies") { call, _ in try await call.create() },
        RESTOperation("GetLifecyclePolicies", "GET", "/policies") { call, _ in try await call.list() },
        RESTOperation("GetLifecyclePolicy", "GET", "/policies/{policyId}") { call, named in
            try await call.show(named[0])
        },
        RESTOperation("UpdateLifecyclePolicy", "PATCH", "/policies/{policyId}") { call, named in
            try await call.update(named[0])
        },
        RESTOperation("DeleteLifecyclePolicy", "DELETE", "/policies/{policyId}") { call, named in
            try await call.delete(named[0])
        },
        RESTOperation("ListTagsForResource", "GET", "/tags/{resourceArn}") { call, named in
            try await call.tags(of: named[0])
        },
        RESTOperation("TagResource", "POST", "/tags/{resourceArn}") { call, named in try await call.tag(named[0]) },
        RESTOperation("UntagResource", "DELETE", "/tags/{resourceArn}") { call, named in
            try await call.untag(named[0])
        },
    ]

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(
        _ request: DirectRequest, for caller: Caller, in region: String? = nil
    ) async -> DirectAnswer {
        await house.recording(at: "dlm", for: caller, in: region) { await reply(to: request, for: caller, in: region) }
    }

    private func reply(to request: DirectRequest, for caller: Caller, in region: String?) async -> DirectAnswer {
        guard let verbs = house.verbs(for: caller, in: region) else { return DirectFailure(.unknownSigner).answer }
        do {
            // Split first: an ARN is one segment, and has a slash inside.
            guard let found = RESTOperation.find(in: Self.operations, request.method, request.segments) else {
                throw DLMFailure(
                    "UnknownOperationException", "There is no operation \(request.method) here.", status: 404)
            }
            Deed.name(found.operation.name, isChange: request.method != "GET")
            let call = DLMCall(verbs: verbs, caller: caller, region: region ?? house.region.name, request: request)
            return try await found.operation.run(call, found.named)
        } catch let failure as DLMFailure {
            return failure.answer
        } catch {
            return DLMFailure(from: error).answer
        }
    }
}

/// One request.
struct DLMCall: Sendable {
    let verbs: Verbs
    let caller: Caller
    let region: String
    let request: DirectRequest

    private struct Nothing: Encodable {}
    private struct Made: Encodable {
        let policyId: String
    }
    private struct Summary: Encodable {
        let policyId: String
        let description: String
        let state: String
        let tags: [String: String]
        let policyType: String?
        let defaultPolicy: Bool
    }
    private struct Summaries: Encodable {
        let policies: [Summary]
    }
    private struct Policy: Encodable {
        let policyId: String
        let description: String
        let state: String
        let statusMessage: String
        let executionRoleArn: String
        let dateCreated: String
        let dateModified: String
        let policyDetails: DLMPolicyDetails?
        let tags: [String: String]
        let policyArn: String
        let defaultPolicy: Bool
    }
    private struct Answer: Encodable {
        let policy: Policy
    }
    private struct TagAnswer: Encodable {
        let tags: [String: String]
    }

    // MARK: Policies

    func create() async throws -> DirectAnswer {
        let request = try document(DLMPolicyRequest.self)
        let missing = [
            ("ExecutionRoleArn", request.executionRoleArn), ("Description", request.description),
            ("State", request.state),
        ].filter { $0.1 == nil }.map(\.0)
        let simplified = try DLMDefault.plan(request)
        guard missing.isEmpty, simplified != nil || request.policyDetails != nil else {
            let all = missing + (request.policyDetails == nil && simplified == nil ? ["PolicyDetails"] : [])
            throw DLMFailure.invalid("Required parameters are missing: \(all.joined(separator: ", ")).", required: all)
        }
        var plan = try simplified ?? DLMPlan.plan(request.policyDetails ?? DLMPolicyDetails())
        plan.description = try description(request.description)
        plan.keepsakes = (plan.keepsakes ?? [:]).merging(
            [DLMPlan.role: try role(request.executionRoleArn)]) { _, own in own }
        try checkKeys(request.tags ?? [:])
        let made = try await verbs.policies.create(
            plan, isEnabled: try isEnabled(request.state), tags: request.tags ?? [:])
        return try .json(Made(policyId: made.id))
    }

    func list() async throws -> DirectAnswer {
        let ids = values("policyIds"), tags = Set(values("targetTags")), added = Set(values("tagsToAdd"))
        let states = values("state"), kinds = values("resourceTypes"), defaults = values("defaultPolicyType")
        for word in defaults where !["VOLUME", "INSTANCE", "ALL"].contains(word) {
            throw DLMFailure.invalid("defaultPolicyType must be one of VOLUME, INSTANCE, ALL.")
        }
        for id in ids { _ = try await policy(id) }
        let found = try await verbs.policies.outlines().filter { policy in
            let plan = policy.plan, kind = plan.flatMap(DLMPlan.kind)
            return (ids.isEmpty || ids.contains(policy.id)) && (states.isEmpty || states.contains(Self.state(policy)))
                && (kinds.isEmpty || kind.map { kinds.contains($0) } == true)
                && (tags.isEmpty || plan?.targets.tags.contains { tags.contains("\($0.key)=\($0.value)") } == true)
                && (added.isEmpty
                    || plan?.schedules.contains { $0.tags.contains { added.contains("\($0.key)=\($0.value)") } } == true)
                && (defaults.isEmpty
                    || plan?.targets.lacking != nil
                        && (defaults.contains("ALL") || kind.map { defaults.contains($0) } == true))
        }
        return try .json(
            Summaries(
                policies: found.map {
                    Summary(
                        policyId: $0.id, description: Self.description(of: $0), state: Self.state($0),
                        tags: $0.tags ?? [:], policyType: $0.plan.map(DLMPlan.type),
                        defaultPolicy: $0.plan?.targets.lacking != nil)
                }))
    }

    func show(_ id: String) async throws -> DirectAnswer {
        let found = try await policy(id)
        return try .json(
            Answer(
                policy: Policy(
                    policyId: found.id, description: Self.description(of: found),
                    state: Self.state(found), statusMessage: String((found.problem ?? Self.state(found)).prefix(500)),
                    executionRoleArn: found.plan?.keepsakes?[DLMPlan.role] ?? "",
                    dateCreated: found.createdAt.description, dateModified: found.modifiedAt.description,
                    policyDetails: found.plan.map(DLMPlan.details), tags: found.tags ?? [:],
                    policyArn: "arn:aws:dlm:\(region):\(found.ownerId):policy/\(found.id)",
                    defaultPolicy: found.plan?.targets.lacking != nil)))
    }

    func update(_ id: String) async throws -> DirectAnswer {
        let request = try document(DLMPolicyRequest.self)
        let isEnabled = try request.state.map { try self.isEnabled($0) }
        // Again where somebody else gave it another plan meanwhile, of which nothing is to be lost.
        while true {
            let before = try await policy(id)
            guard let known = before.plan else {
                // Refused, or only paused.
                guard request.saysOnlyState else { throw DLMFailure.invalid("The policy's details cannot be read.") }
                _ = try await verbs.policies.change(before.id, isEnabled: isEnabled)
                break
            }
            let plan = try plan(request, before: known)
            if try await verbs.policies.change(before.id, from: known, to: plan, isEnabled: isEnabled) != nil { break }
        }
        return try .json(Nothing())
    }

    /// The plan of a policy that is changed. What the request does not speak of stays, also where Amazon has no words for it.
    private func plan(_ request: DLMPolicyRequest, before: PolicyPlan) throws -> PolicyPlan {
        var plan = before
        if let simplified = try DLMDefault.plan(request, before: before) {
            plan = simplified
        } else if before.targets.lacking == nil, let details = request.policyDetails {
            plan = try DLMPlan.plan(details)
            guard DLMPlan.type(plan) == DLMPlan.type(before) else {
                throw DLMFailure.invalid("PolicyType cannot be changed.")
            }
            guard plan.targets.kind == before.targets.kind else {
                throw DLMFailure.invalid("ResourceTypes cannot be changed.")
            }
            plan.targets.ids = before.targets.ids
        }
        plan.name = before.name
        plan.description = before.description
        let role = before.keepsakes?[DLMPlan.role]
        if plan.keepsakes?[DLMPlan.role] == nil, let role {
            plan.keepsakes = (plan.keepsakes ?? [:]).merging([DLMPlan.role: role]) { own, _ in own }
        }
        if request.description != nil { plan.description = try description(request.description) }
        if request.executionRoleArn != nil {
            plan.keepsakes = (plan.keepsakes ?? [:]).merging(
                [DLMPlan.role: try self.role(request.executionRoleArn)]) { _, new in new }
        }
        return plan
    }

    func delete(_ id: String) async throws -> DirectAnswer {
        try await verbs.policies.delete(policy(id).id)
        return try .json(Nothing())
    }

    // MARK: Tags

    func tags(of arn: String) async throws -> DirectAnswer {
        try .json(TagAnswer(tags: try await policy(id(of: arn)).tags ?? [:]))
    }

    func tag(_ arn: String) async throws -> DirectAnswer {
        let found = try await policy(id(of: arn)), tags = try document(DLMTagRequest.self).tags
        try checkKeys(tags)
        try await verbs.tags.set(tags, on: [found.id])
        return try .json(Nothing())
    }

    func untag(_ arn: String) async throws -> DirectAnswer {
        let found = try await policy(id(of: arn)), keys = values("tagKeys")
        guard !keys.isEmpty else { throw DLMFailure.invalid("tagKeys is missing.", required: ["tagKeys"]) }
        let tags: [String: String?] = Dictionary(keys.map { ($0, nil) }) { first, _ in first }
        try await verbs.tags.remove(tags, from: [found.id])
        return try .json(Nothing())
    }

    // MARK: Parts

    /// What is another account's is missing, and so is what has no id's form.
    private func policy(_ id: String) async throws -> PolicyView {
        do { return try await verbs.policies.show(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw DLMFailure.noPolicy(String(id.prefix(128)))
        }
    }

    /// `arn:aws:dlm:region:account:policy/policy-...`: of this region and account, or of nothing that is there.
    private func id(of arn: String) throws(DLMFailure) -> String {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "dlm", parts[5].hasPrefix("policy/") else {
            throw .invalid("'\(arn.prefix(128))' is not the ARN of a policy.")
        }
        let id = String(parts[5].dropFirst("policy/".count))
        guard parts[3] == region, parts[4] == caller.account else { throw .noPolicy(String(id.prefix(128))) }
        return id
    }

    private func values(_ name: String) -> [String] { request.values(of: name) }

    private static func description(of policy: PolicyView) -> String {
        policy.plan?.description ?? policy.plan?.name ?? ""
    }

    /// Of one whose plan cannot be read its status message says so.
    private static func state(_ policy: PolicyView) -> String {
        policy.plan == nil ? "ERROR" : policy.isEnabled ? "ENABLED" : "DISABLED"
    }

    private func isEnabled(_ state: String?) throws(DLMFailure) -> Bool {
        switch state {
        case "ENABLED": return true
        case "DISABLED": return false
        default: throw .invalid("State must be one of ENABLED, DISABLED.", required: ["State"])
        }
    }

    private func description(_ text: String?) throws(DLMFailure) -> String {
        let isPlain = (text ?? "").utf8.allSatisfy(DLMPlan.isPlain)
        guard let text, isPlain, (1...500).contains(text.utf8.count) else {
            throw .invalid("Description must have 1 to 500 of the characters 0-9, A-Z, a-z, space, _ and -.")
        }
        return text
    }

    private func role(_ text: String?) throws(DLMFailure) -> String {
        guard let text, text.hasPrefix("arn:aws"), text.contains(":iam::"), text.contains(":role/"),
            text.utf8.count <= 2048
        else { throw .invalid("ExecutionRoleArn is not the ARN of a role.") }
        return text
    }

    private func checkKeys(_ tags: [String: String]) throws(DLMFailure) {
        guard !tags.keys.contains(where: { $0.hasPrefix("aws:") }) else {
            throw .invalid("Tag keys starting with 'aws:' are reserved.")
        }
    }

    private func document<Document: Decodable>(_: Document.Type) throws -> Document {
        do { return try DirectRequest.decoder.decode(Document.self, from: Data(request.body)) } catch {
            throw DLMFailure.invalid("The request's body cannot be read.")
        }
    }
}
