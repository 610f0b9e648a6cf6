public import ControlPlane
internal import RequestSigning

/// The native JSON API under `/api/v1`: a request in, an answer out, no socket in between.
///
/// Every rule is the control plane's; this room only reads requests and writes answers. Call from any task.
public struct NativeAPI: Sendable {
    private let house: House

    /// Serves `house`.
    public init(_ house: House) {
        self.house = house
    }

    static let routes =
        volumeRoutes + importRoutes + snapshotRoutes + tierRoutes + fastRestoreRoutes + copyRoutes + instanceRoutes
        + binRoutes
        + imageRoutes + policyRoutes + storeRoutes + keyRoutes + accountRoutes + usageRoutes + eventRoutes
        + quotaRoutes

    /// The query parameter that every route takes: which region is asked; the first one by default.
    static let region = "region"

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    public func answer(_ request: NativeRequest, for caller: Caller) async -> NativeAnswer {
        let region = URIEncoding.pairs(of: request.query).first { $0.name == Self.region }?.value
        return await house.recording(at: "native", for: caller, in: region.map(String.init)) {
            await reply(to: request, for: caller)
        }
    }

    private func reply(to request: NativeRequest, for caller: Caller) async -> NativeAnswer {
        do {
            let (route, values) = try Self.route(for: request)
            Deed.name(
                "\(route.method) /\(route.pattern.joined(separator: "/"))",
                isChange: route.method != "GET" && !route.takesBytes && !route.isSmallTalk)
            let query = try Self.parameters(of: request.query, known: route.query + [Self.region])
            guard let verbs = house.verbs(for: caller, in: query[Self.region]) else {
                let known = house.regions.map(\.name).joined(separator: ", ")
                throw ServiceError(
                    .missing, .house, "there is no region '\(query[Self.region] ?? "")' here; there are \(known)")
            }
            return try await route.run(
                NativeCall(
                    verbs: verbs, regions: house.regions, path: values, query: query, body: request.body))
        } catch let error as ServiceError {
            let status = NativeRefusal.status(of: error.code)
            Deed.refuse(error.code.rawValue)
            return NativeRefusal(error).answer(status: status, logged: error.description)
        } catch {
            Deed.refuse(ServiceError.Code.internalFault.rawValue)
            return NativeRefusal(
                code: ServiceError.Code.internalFault.rawValue, noun: "house",
                message: "something went wrong here; the server's log says what"
            ).answer(status: 500, logged: "\(error)")
        }
    }

    /// The route of a request and its path's values.
    static func route(for request: NativeRequest) throws -> (NativeRoute, [String: String]) {
        let segments = NativeRoute.segments(of: request.path)
        var others: [String] = []
        for route in routes {
            guard let values = route.match(segments) else { continue }
            if route.method == request.method { return (route, values) }
            others.append(route.method)
        }
        guard others.isEmpty else {
            throw ServiceError(
                .invalid, .house,
                "\(request.path) does not take \(request.method); it takes \(others.sorted().joined(separator: ", "))")
        }
        throw ServiceError(.missing, .house, "there is nothing at /api/v1\(request.path)")
    }

    /// Reads `a=1&b=2`; names must be known and come once.
    static func parameters(of query: String, known: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for pair in URIEncoding.pairs(of: query) {
            let name = String(pair.name)
            guard known.contains(name) else {
                throw ServiceError(.invalid, .house, "the query parameter '\(name)' is not known here")
            }
            guard values.updateValue(String(pair.value), forKey: name) == nil else {
                throw ServiceError(.invalid, .house, "the query parameter '\(name)' is given twice")
            }
        }
        return values
    }
}
