public import Blocks
public import ControlPlane

/// Kingsoft's APIs as far as they are about volumes and snapshots: `ebs`, of `kec` policies, images and what a client must know of
/// instances, of `iam` projects, and tags. A request in, an answer out, no socket in between.
///
/// Every rule is the control plane's; this room reads Kingsoft's parameters and writes its answers, errors and words. Call from
/// any task.
public struct KingsoftDialect: Sendable {
    private let house: House
    private let ids: @Sendable () -> String
    private let clock: @Sendable () -> WallTime

    /// Serves `house`.
    ///
    /// - Parameters:
    ///   - ids: makes request ids; UUIDs in service.
    ///   - clock: the time, for days that are told.
    public init(
        _ house: House, clock: @escaping @Sendable () -> WallTime = { SystemClock().now() },
        ids: @escaping @Sendable () -> String
    ) {
        self.house = house
        self.clock = clock
        self.ids = ids
    }

    /// Every action, by service and name: both services have some of the same name.
    static let actions: [KingsoftAction.Key: KingsoftAction] = {
        let rooms = [
            volumeActions, volumeChangeActions, recycleActions, attachmentActions, snapshotActions, placeActions,
            copyActions,
            instanceActions, policyActions, imageActions,
            typeActions, termActions, tagActions,
        ]
        return Dictionary(uniqueKeysWithValues: rooms.joined().map { ($0.key, $0) })
    }()

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(
        _ request: KingsoftRequest, for caller: Caller, in region: String? = nil
    ) async -> KingsoftAnswer {
        await house.recording(at: request.service.rawValue, for: caller, in: region) {
            await reply(to: request, for: caller, in: region)
        }
    }

    private func reply(
        to request: KingsoftRequest, for caller: Caller, in region: String?
    ) async -> KingsoftAnswer {
        let id = ids(), isJSON = request.wantsJSON
        Deed.note(requestID: id)
        var name: String?
        do {
            let parameters = try KingsoftParameters(query: request.query, body: request.body)
            let action = try Self.action(parameters, of: request.service)
            name = action.key.name
            Deed.name(action.key.name, isChange: action.isChange)
            guard let verbs = house.verbs(for: caller, in: region),
                let place = house.regions.first(where: { $0.name == region ?? house.region.name })
            else { throw KingsoftFailure.noRegion(region ?? "") }
            let call = KingsoftCall(
                verbs: verbs, caller: caller, region: place,
                verbsIn: { [house] name in
                    // One that is named, and not the first in its stead.
                    guard house.regions.contains(where: { $0.name == name }) else { return nil }
                    return house.verbs(for: caller, in: name)
                }, parameters: parameters, now: clock())
            let fields = try await action.run(call)
            return .success(fields, of: action.key.name, requestID: id, isJSON: isJSON)
        } catch is DryRun {
            return .success(.done, of: name ?? "", requestID: id, isJSON: isJSON)
        } catch let failure as KingsoftFailure {
            return .refusal(failure, of: name, requestID: id, isJSON: isJSON)
        } catch {
            return .refusal(KingsoftFailure(from: error), of: name, requestID: id, isJSON: isJSON)
        }
    }

    /// For requests that are refused before anyone knows what they ask: not signed, signed wrongly, too large.
    public func refusal(_ reason: KingsoftRefusal, isJSON: Bool) -> KingsoftAnswer {
        .refusal(KingsoftFailure(reason), requestID: ids(), isJSON: isJSON)
    }

    private static func action(
        _ parameters: KingsoftParameters, of service: KingsoftRequest.Service
    ) throws(KingsoftFailure) -> KingsoftAction {
        let name = try parameters.required("Action"), asked = try parameters.required("Version")
        guard asked == service.version else {
            throw .wrong("Version", "It is \(asked.shortened); \(service.version) is allowed.")
        }
        guard let action = actions[KingsoftAction.Key(service, name)] else { throw .unsupportedAction(name) }
        return action
    }
}
