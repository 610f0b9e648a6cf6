public import ControlPlane

/// Amazon's EC2 query protocol, as far as it is about volumes and snapshots: a request in, an answer out, no socket in between.
///
/// Every rule is the control plane's; this room reads Amazon's parameters and writes Amazon's XML, errors and words.
/// Call from any task.
public struct EC2Dialect: Sendable {
    private let house: House
    private let ids: @Sendable () -> String

    /// Serves `house`.
    ///
    /// - Parameter ids: makes request ids; UUIDs in service.
    public init(_ house: House, ids: @escaping @Sendable () -> String) {
        self.house = house
        self.ids = ids
    }

    /// Every action, by name.
    static let actions: [String: EC2Action] = {
        let rooms = [
            volumeActions, volumeCopyActions, modificationActions, volumeStatusActions, attachmentActions,
            instanceActions,
            instanceAttributeActions, rootActions, imageActions, imageAttributeActions, imageProtectionActions,
            snapshotActions,
            copyActions, sharingActions, lockActions, tierActions, binActions,
            fastRestoreActions, encryptionActions, tagActions, placeActions,
        ]
        return Dictionary(uniqueKeysWithValues: rooms.joined().map { ($0.name, $0) })
    }()

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(_ request: EC2Request, for caller: Caller, in region: String? = nil) async -> EC2Answer {
        await house.recording(at: "ec2", for: caller, in: region) { await reply(to: request, for: caller, in: region) }
    }

    private func reply(to request: EC2Request, for caller: Caller, in region: String?) async -> EC2Answer {
        let id = ids()
        Deed.note(requestID: id)
        var name: String?
        do {
            let parameters = try RequestParameters(request.sources)
            let version = try Self.version(parameters)
            let action = try Self.action(parameters)
            name = action.name
            Deed.name(action.name, isChange: action.isChange)
            let regions = house.regions
            guard let verbs = house.verbs(for: caller, in: region),
                let place = regions.first(where: { $0.name == region ?? house.region.name })
            else { throw EC2Failure.authFailure }
            let call = EC2Call(verbs: verbs, caller: caller, region: place, regions: regions, parameters: parameters)
            let body = try await action.run(call)
            return .success(action.name, version: version, requestID: id) { $0.append(body) }
        } catch let failure as EC2Failure {
            return .refusal(failure, of: name, requestID: id)
        } catch {
            return .refusal(EC2Failure(from: error), of: name, requestID: id)
        }
    }

    /// For requests that are refused before anyone knows what they ask: not signed, signed wrongly, too large.
    public func refusal(_ reason: RefusedRequest) -> EC2Answer { .refusal(EC2Failure(reason), requestID: ids()) }

    private static func action(_ parameters: RequestParameters) throws(EC2Failure) -> EC2Action {
        guard let name = parameters["Action"], !name.isEmpty else {
            throw EC2Failure(
                "MissingAction", "The request must contain the parameter Action")
        }
        guard let action = actions[name] else {
            throw EC2Failure("InvalidAction", "The action \(name) is not valid for this web service.")
        }
        return action
    }

    /// Any date of the API's life, echoed in the answer's namespace: what old clients know is unchanged today.
    private static func version(_ parameters: RequestParameters) throws(EC2Failure) -> String {
        guard let version = parameters["Version"] else {
            throw .missing("Version")
        }
        let shape = version.utf8.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) ? UInt8(ascii: "9") : $0 }
        guard shape == Array("9999-99-99".utf8), version >= "2006-06-26", version <= "2016-11-15" else {
            throw EC2Failure(
                "NoSuchVersion", "The requested version (\(version)) of service AmazonEC2 does not exist")
        }
        return version
    }
}
