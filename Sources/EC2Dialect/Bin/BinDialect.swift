public import ControlPlane
internal import RequestSigning

/// Amazon's Recycle Bin: the rules by which deleted snapshots and volumes are kept. REST and JSON.
///
/// What is in the bin is EC2's affair. Call from any task.
public struct BinDialect: Sendable {
    private let house: House

    /// Serves `house`.
    public init(_ house: House) { self.house = house }

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(_ request: DirectRequest, for caller: Caller, in region: String? = nil) async -> DirectAnswer {
        let action = "\(request.method) /\(request.path.split(separator: "/").first ?? "")"
        return await house.recording(action, at: "rbin", for: caller, in: region) {
            await reply(to: request, for: caller, in: region)
        }
    }

    private func reply(to request: DirectRequest, for caller: Caller, in region: String?) async -> DirectAnswer {
        guard let verbs = house.verbs(for: caller, in: region),
            let place = house.regions.first(where: { $0.name == region ?? house.region.name })
        else { return refusal(.unknownSigner) }
        do {
            return try await answer(
                BinCall(verbs: verbs, caller: caller, region: place, request: request))
        } catch let failure as DirectFailure {
            return failure.answer
        } catch {
            return DirectFailure(ofRules: error).answer
        }
    }

    private func answer(_ call: BinCall) async throws -> DirectAnswer {
        let request = call.request
        let parts = request.segments
        let isTagged = parts.first == "tags" && parts.count > 1
        switch (request.method, parts.first ?? "", isTagged ? 2 : parts.count, parts.count == 3 ? parts[2] : "") {
        case ("POST", "rules", 1, _): return try await call.create()
        case ("POST", "list-rules", 1, _): return try await call.list()
        case ("GET", "rules", 2, _): return try await call.show(parts[1])
        case ("PATCH", "rules", 2, _): return try await call.update(parts[1])
        case ("DELETE", "rules", 2, _): return try await call.delete(parts[1])
        case ("PATCH", "rules", 3, "lock"): return try await call.lock(parts[1])
        case ("PATCH", "rules", 3, "unlock"): return try await call.unlock(parts[1])
        // An ARN has a slash, which clients may send as it is.
        case ("GET", "tags", 2, _): return try await call.tags(parts.dropFirst().joined(separator: "/"))
        case ("POST", "tags", 2, _): return try await call.tag(parts.dropFirst().joined(separator: "/"))
        case ("DELETE", "tags", 2, _): return try await call.untag(parts.dropFirst().joined(separator: "/"))
        default: throw DirectFailure.unknown(request)
        }
    }

    /// For requests that are refused before anyone knows what they ask.
    public func refusal(_ reason: RefusedRequest) -> DirectAnswer { DirectFailure(reason).answer }
}

extension DirectFailure {
    /// What the control plane refused about rules, in the Recycle Bin's words.
    init(ofRules error: any Error) {
        guard let error = error as? ServiceError else {
            self.init(from: error)
            return
        }
        switch error.code {
        case .missing: self = .noRule(error.message)
        case .invalid: self = .badValue(error.message)
        case .limitExceeded:
            self.init("ServiceQuotaExceededException", "SERVICE_QUOTA_EXCEEDED", error.message, status: 402)
        case .wrongState, .inUse, .locked:
            self.init("ConflictException", "INVALID_RULE_STATE", error.message, status: 409)
        case .forbidden: self.init("AccessDeniedException", nil, error.message, status: 403)
        case .unavailable, .noSpace, .unsupported, .corrupt, .internalFault:
            self.init("InternalServerException", nil, "An internal error has occurred", status: 500)
        }
        logged = error.description
    }

    static func noRule(_ message: String) -> DirectFailure {
        DirectFailure("ResourceNotFoundException", "RULE_NOT_FOUND", message, status: 404)
    }
    static func badValue(_ message: String) -> DirectFailure { .invalid("INVALID_PARAMETER_VALUE", message) }
}
