internal import Blocks
internal import ControlPlane

/// One request that found its action.
struct KingsoftCall: Sendable {
    let verbs: Verbs
    let caller: Caller
    let region: Region
    /// What can be asked in another region; nil: there is none of that name.
    let verbsIn: @Sendable (String) -> Verbs?
    let parameters: KingsoftParameters
    let now: WallTime

    /// Ends a request that was only to be tried, once all of it is known to be right.
    func dryRun() throws {
        if try parameters.flag("DryRun") == true { throw DryRun() }
    }
}

/// That a request would have been done.
struct DryRun: Error {}

/// One action: what it is called, whether it changes anything, what it does, and what of Kingsoft's it does not.
struct KingsoftAction: Sendable {
    /// Of which service, and its name there.
    struct Key: Hashable, Sendable, Comparable {
        let service: KingsoftRequest.Service
        let name: String

        init(_ service: KingsoftRequest.Service, _ name: String) {
            self.service = service
            self.name = name
        }

        static func < (a: Key, b: Key) -> Bool {
            (a.service.rawValue, a.name) < (b.service.rawValue, b.name)
        }
    }

    /// Parameters of every action, which say how, and nothing about what.
    static let free: Set<String> = [
        "Action", "Version", "DryRun", "Service", "SdkVersion", "Region", "Accesskey", "Language", "AccountId",
        "UserId", "RoleId",
    ]

    let key: Key
    let isChange: Bool
    /// For docs/compatibility.md; nil: all that the wire contract asks for is there.
    let lacks: String?
    let run: @Sendable (KingsoftCall) async throws -> KingsoftFields

    /// One that changes something. What it does not know of a request it does not look at, as the cloud does.
    static func change(
        _ service: KingsoftRequest.Service, _ name: String, lacks: String? = nil,
        _ run: @escaping @Sendable (KingsoftCall) async throws -> KingsoftFields
    ) -> KingsoftAction {
        KingsoftAction(key: Key(service, name), isChange: true, lacks: lacks) { call in
            if call.caller.role == .reader { throw KingsoftFailure.denied }
            return try await run(call)
        }
    }

    /// One that looks.
    ///
    /// - Parameter knows: the parameters that it has: an answer without regard to another one would have too much in it.
    static func look(
        _ service: KingsoftRequest.Service, _ name: String, knows: Set<String>, lacks: String? = nil,
        _ run: @escaping @Sendable (KingsoftCall) async throws -> KingsoftFields
    ) -> KingsoftAction {
        KingsoftAction(key: Key(service, name), isChange: false, lacks: lacks) { call in
            for name in call.parameters.names
            where !knows.contains(name) && !free.contains(name) && !name.hasPrefix("X-Amz-") {
                throw KingsoftFailure.unsupportedParameter(name)
            }
            try call.dryRun()
            return try await run(call)
        }
    }
}
