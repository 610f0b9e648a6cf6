internal import ControlPlane

/// One request that found its action.
struct ECSCall: Sendable {
    let action: String
    let verbs: Verbs
    let caller: Caller
    let region: Region
    /// All that there are.
    let regions: [Region]
    let parameters: ECSParameters
    /// What can be asked in another region; nil: there is none of that name.
    let verbsIn: @Sendable (String) -> Verbs?

    /// Refuses what was only to be tried, when it would be done.
    func dryRun() throws(ECSFailure) {
        if try parameters.flag("DryRun") == true { throw .dryRun }
    }
}

/// One action: what it is called, whether it changes anything, what it does, and what of Alibaba's it does not.
struct ECSAction: Sendable {
    let name: String
    let isChange: Bool
    /// For docs/compatibility.md; nil: all that the wire contract asks for is there.
    let lacks: String?
    /// What it says where there is no such region.
    let noRegion: ECSFailure
    /// What is in the answer beside the request's id.
    let run: @Sendable (ECSCall) async throws -> ECSFields

    init(
        _ name: String, isChange: Bool, lacks: String? = nil, noRegion: ECSFailure = .noRegion,
        _ run: @escaping @Sendable (ECSCall) async throws -> ECSFields
    ) {
        self.name = name
        self.isChange = isChange
        self.lacks = lacks
        self.noRegion = noRegion
        self.run = { call in
            if isChange, call.caller.role == .reader { throw ECSFailure.forbidden }
            return try await run(call)
        }
    }
}
