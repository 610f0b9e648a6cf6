public import ControlPlane
public import RequestSigning

/// Alibaba's ECS API of 2014-05-26, as far as it is about disks and snapshots: a request in, an answer out, no socket in between.
///
/// Every rule is the control plane's; this room reads Alibaba's parameters and writes its JSON or XML, errors and words.
/// Call from any task.
public struct ECSDialect: Sendable {
    private let house: House
    private let ids: @Sendable () -> String

    /// Serves `house`.
    ///
    /// - Parameter ids: makes request ids; upper-case UUIDs in service.
    public init(_ house: House, ids: @escaping @Sendable () -> String) {
        self.house = house
        self.ids = ids
    }

    /// Every action, by name.
    static let actions: [String: ECSAction] = {
        let rooms = [
            snapshotActions, restoreActions, diskActions, diskChangeActions, attachmentActions, instanceActions,
            placeActions, tagActions, groupActions, lockActions, copyActions, chainActions, imageActions, policyActions,
            resourceGroupActions, olderTagActions, taskActions,
        ]
        return Dictionary(uniqueKeysWithValues: rooms.joined().map { ($0.name, $0) })
    }()

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    public func answer(_ request: ECSRequest, for caller: Caller) async -> ECSAnswer {
        let id = ids()
        do {
            let action = try Self.action(request)
            let parameters = ECSParameters(request.parameters)
            let place = try await place(parameters, request, action, caller)
            return await house.recording(at: "ecs", for: caller, in: place.name) {
                Deed.note(requestID: id)
                Deed.name(action.name, isChange: action.isChange)
                do {
                    guard let verbs = house.verbs(for: caller, in: place.name) else { throw action.noRegion }
                    let call = ECSCall(
                        action: action.name, verbs: verbs, caller: caller, region: place, regions: house.regions,
                        parameters: parameters
                    ) { name in
                        guard house.regions.contains(where: { $0.name == name }) else { return nil }
                        return house.verbs(for: caller, in: name)
                    }
                    return success(try await action.run(call), of: action.name, id, request)
                } catch {
                    return refusal(ECSFailure(from: error), of: action.name, id, request)
                }
            }
        } catch {
            return refusal(ECSFailure(from: error), of: request.action, id, request)
        }
    }

    /// For requests that are refused before anyone knows what they ask.
    public func refusal(_ failure: ACSFailure, of request: ECSRequest) -> ECSAnswer {
        refusal(ECSFailure(failure), of: nil, ids(), request)
    }

    /// For requests that ask too often, are too large, of a wrong kind or cut off.
    public func refusal(_ reason: UnreadRequest, of request: ECSRequest) -> ECSAnswer {
        let failure =
            switch reason {
            case .method:
                ECSFailure(403, "UnsupportedHTTPMethod", "This http method is not supported.")
            case .tooLarge: ECSFailure(413, "RequestTooLarge", "The request is larger than this service takes.")
            case .endedEarly: ECSFailure(400, "InvalidParameter", "The request ended too early.")
            case .throttled: ECSFailure.throttled
            }
        return refusal(failure, of: nil, ids(), request)
    }

    // MARK: Answers

    private func success(
        _ fields: ECSFields, of action: String, _ id: String, _ request: ECSRequest
    ) -> ECSAnswer {
        let value = ECSValue.object([ECSField("RequestId", .text(id))] + fields.all)
        let body = request.isJSON ? ECSJSON.text(value) : ECSXML.document("\(action)Response", value)
        return ECSAnswer(status: 200, type: Self.type(request), body: body, requestID: id, action: action)
    }

    private func refusal(
        _ failure: ECSFailure, of action: String?, _ id: String, _ request: ECSRequest
    ) -> ECSAnswer {
        Deed.refuse(failure.code)
        var fields = ECSFields()
        fields.add("RequestId", id)
        fields.add("HostId", request.host)
        fields.add("Code", failure.code)
        fields.add("Message", failure.message)
        if request.isJSON {
            fields.add(
                "Recommend",
                "https://api.aliyun.com/troubleshoot?q=\(failure.code)&product=Ecs&requestId=\(id)")
        }
        let body = request.isJSON ? ECSJSON.text(fields.value) : ECSXML.document("Error", fields.value)
        return ECSAnswer(
            status: failure.status, type: Self.type(request), body: body, requestID: id, action: action,
            logged: failure.logged)
    }

    private static func type(_ request: ECSRequest) -> String {
        request.isJSON ? "application/json;charset=utf-8" : "text/xml;charset=utf-8"
    }

    // MARK: What is asked for, and where

    private static func action(_ request: ECSRequest) throws(ECSFailure) -> ECSAction {
        guard request.version == "2014-05-26" else {
            throw ECSFailure(400, "InvalidVersion", "Specified parameter Version is not valid.")
        }
        guard let action = request.action.flatMap({ actions[$0] }) else {
            throw ECSFailure(
                404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
        }
        return action
    }

    /// The region that is named, else that of the host, else that of the first object that is named, else the first.
    private func place(
        _ parameters: ECSParameters, _ request: ECSRequest, _ action: ECSAction, _ caller: Caller
    ) async throws -> Region {
        let regions = house.regions
        if let name = parameters["RegionId"] ?? parameters["regionId"] {
            guard let place = regions.first(where: { $0.name == name }) else { throw action.noRegion }
            return place
        }
        let parts = request.host.split(separator: ".")
        if parts.count > 2, parts[0] == "ecs", let place = regions.first(where: { $0.name == parts[1] }) {
            return place
        }
        for place in regions.count > 1 ? regions : [] {
            guard let verbs = house.verbs(for: caller, in: place.name) else { continue }
            if try await Self.holds(verbs, parameters) { return place }
        }
        return house.region
    }

    /// - Throws: when it cannot be told: another region would say that there is none.
    private static func holds(_ verbs: Verbs, _ parameters: ECSParameters) async throws -> Bool {
        do {
            if let id = parameters["SnapshotId"].flatMap({ ECSID.native($0, .snapshot) }) {
                _ = try await verbs.snapshots.find(id)
            } else if let id = parameters["DiskId"].flatMap({ ECSID.native($0, .disk) }) {
                _ = try await verbs.volumes.show(id)
            } else if let id = parameters["InstanceId"].flatMap({ ECSID.native($0, .instance) }) {
                _ = try await verbs.instances.show(id)
            } else {
                return false
            }
            return true
        } catch let error as ServiceError where error.code == .missing || error.code == .invalid { return false }
    }
}

/// Why a request was refused before it was read.
public enum UnreadRequest: Sendable {
    /// Neither GET nor POST.
    case method
    /// It has a larger body than is taken.
    case tooLarge
    /// Its body was cut off.
    case endedEarly
    /// Too many wrong ones came from there.
    case throttled
}
