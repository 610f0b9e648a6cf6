public import ControlPlane
internal import RequestSigning

/// Amazon's Recycle Bin: the rules by which deleted snapshots and volumes are kept. REST and JSON.
///
/// What is in the bin is EC2's affair. Call from any task.
public struct BinDialect: Sendable {
    private let house: House

    /// Serves `house`.
    public init(_ house: House) { self.house = house }

    /// Every operation. An ARN has a slash, which clients may send as it is.
    static let operations: [RESTOperation<BinCall>] = [
        RESTOperation("CreateRule", "POST", "/rules") { call, _ in try await call.create() },
        RESTOperation("ListRules", "POST", "/list-rules") { call, _ in try await call.list() },
        RESTOperation("GetRule", "GET", "/rules/{identifier}") { call, named in try await call.show(named[0]) },
        RESTOperation("UpdateRule", "PATCH", "/rules/{identifier}") { call, named in try await call.update(named[0]) },
        RESTOperation("DeleteRule", "DELETE", "/rules/{identifier}") { call, named in
            try await call.delete(named[0])
        },
        RESTOperation("LockRule", "PATCH", "/rules/{identifier}/lock") { call, named in
            try await call.lock(named[0])
        },
        RESTOperation("UnlockRule", "PATCH", "/rules/{identifier}/unlock") { call, named in
            try await call.unlock(named[0])
        },
        RESTOperation("ListTagsForResource", "GET", "/tags/{resourceArn+}") { call, named in
            try await call.tags(named[0])
        },
        RESTOperation("TagResource", "POST", "/tags/{resourceArn+}") { call, named in try await call.tag(named[0]) },
        RESTOperation("UntagResource", "DELETE", "/tags/{resourceArn+}") { call, named in
            try await call.untag(named[0])
        },
    ]

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(_ request: DirectRequest, for caller: Caller, in region: String? = nil) async -> DirectAnswer {
        await house.recording(at: "rbin", for: caller, in: region) { await reply(to: request, for: caller, in: region) }
    }

    private func reply(to request: DirectRequest, for caller: Caller, in region: String?) async -> DirectAnswer {
        guard let verbs = house.verbs(for: caller, in: region),
            let place = house.regions.first(where: { $0.name == region ?? house.region.name })
        else { return refusal(.unknownSigner) }
        do {
            guard let found = RESTOperation.find(in: Self.operations, request.method, request.segments) else {
                throw DirectFailure.unknown(request)
            }
            Deed.name(found.operation.name)
            let call = BinCall(verbs: verbs, caller: caller, region: place, request: request)
            return try await found.operation.run(call, found.named)
        } catch let failure as DirectFailure {
            return failure.answer
        } catch {
            return DirectFailure(ofRules: error).answer
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
