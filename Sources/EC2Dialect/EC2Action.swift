internal import ControlPlane

/// One request that found its action.
struct EC2Call: Sendable {
    let verbs: Verbs
    let caller: Caller
    let region: Region
    /// All that there are.
    let regions: [Region]
    let parameters: RequestParameters

    /// Refuses what was only to be tried, where Amazon does so: after ids or after authorisation, by action.
    func dryRun() throws(EC2Failure) {
        if try parameters.flag("DryRun") == true { throw .dryRun }
    }
}

/// One action: what it is called, whether it changes anything, what it does, and what of Amazon's it does not.
struct EC2Action: Sendable {
    let name: String
    let isChange: Bool
    /// For docs/compatibility.md; nil: all that the wire contract asks for is there.
    let lacks: String?
    /// The elements after the request's id.
    let run: @Sendable (EC2Call) async throws -> XMLWriter

    init(
        _ name: String, isChange: Bool, lacks: String? = nil,
        _ run: @escaping @Sendable (EC2Call) async throws -> XMLWriter
    ) {
        self.name = name
        self.isChange = isChange
        self.lacks = lacks
        self.run = { call in
            if isChange, call.caller.role == .reader { throw EC2Failure.unauthorized }
            return try await run(call)
        }
    }
}

extension XMLWriter {
    /// `<return>true</return>`.
    static let done: XMLWriter = .elements { $0.add("return", true) }

    /// Elements one after another.
    static func elements(_ body: (inout XMLWriter) throws -> Void) rethrows -> XMLWriter {
        var writer = XMLWriter()
        try body(&writer)
        return writer
    }
}
