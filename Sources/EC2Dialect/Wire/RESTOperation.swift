/// One operation of a REST service: which requests are for it, and what it does.
///
/// Each service has a table of them, from which requests find their operation and the tests their way: what is not in the
/// table is not served, and what is in it is asked by a stranger (`RESTIsolationTests`).
struct RESTOperation<Call: Sendable>: Sendable {
    /// What Amazon calls it.
    let name: String
    let method: String
    /// The path's parts: words, and `{names}` of what a request names. A name with a plus takes all that follows, slashes too.
    let path: [String]
    /// What it does, given what the request names, in the path's order.
    let run: @Sendable (Call, [String]) async throws -> DirectAnswer

    init(
        _ name: String, _ method: String, _ path: String,
        _ run: @escaping @Sendable (Call, [String]) async throws -> DirectAnswer
    ) {
        self.name = name
        self.method = method
        self.path = path.split(separator: "/").map(String.init)
        self.run = run
    }

    /// What a request names; nil: it is for another operation.
    func named(_ method: String, _ parts: [String]) -> [String]? {
        guard method == self.method else { return nil }
        var named: [String] = []
        for (index, part) in path.enumerated() {
            guard index < parts.count else { return nil }
            if part.hasSuffix("+}") { return named + [parts[index...].joined(separator: "/")] }
            if part.hasPrefix("{") { named.append(parts[index]) } else if part != parts[index] { return nil }
        }
        return parts.count == path.count ? named : nil
    }

    /// The operation that a request is for, and what it names; nil: there is none.
    ///
    /// - Parameter parts: of the request's path.
    static func find(
        in table: [RESTOperation], _ method: String, _ parts: [String]
    ) -> (operation: RESTOperation, named: [String])? {
        for operation in table {
            if let named = operation.named(method, parts) { return (operation, named) }
        }
        return nil
    }
}
