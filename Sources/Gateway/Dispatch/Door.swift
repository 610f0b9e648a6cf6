internal import Blocks
internal import Console
internal import ControlPlane
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import RequestSigning

/// Where every HTTP request comes in: finds out who it is for, lets that room answer, and logs it.
struct Door: HTTPResponder {
    typealias Context = ClientContext

    private let native: NativeAPI
    private let amazon: AmazonDoor
    private let kingsoft: KingsoftDoor
    private let alibaba: AlibabaDoor
    private let authenticator: Authenticator
    private let metrics: GatewayMetrics
    private let log: RequestLog
    private let house: House
    private let brake: SignInBrake
    private let openAPI = OpenAPIDocument.json()

    init(house: House, takesSigV2: Bool, logger: Logger) {
        self.house = house
        native = NativeAPI(house)
        brake = SignInBrake()
        authenticator = Authenticator(house, services: ["varve"])
        amazon = AmazonDoor(house, takesSigV2: takesSigV2, brake: brake)
        kingsoft = KingsoftDoor(house, brake: brake)
        alibaba = AlibabaDoor(house, brake: brake)
        metrics = GatewayMetrics()
        log = RequestLog(logger: logger)
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        let begun = ContinuousClock.now
        // A client that complains has something to complain about by.
        let origin = RequestOrigin(address: context.address, requestID: UUID().uuidString.lowercased())
        let isUnread = Guarded(false)
        var (answer, caller) = await RequestBytes.$isUnread.withValue(isUnread) {
            await self.answer(to: request, from: origin)
        }
        if isUnread.withLock({ $0 }) {
            answer.headers.append(("Connection", "close"))
            context.endConnectionSoon()
        }
        answer.requestID = answer.requestID ?? origin.requestID
        metrics.count(status: answer.status)
        log.note(request.head, answer, caller: caller, taking: ContinuousClock.now - begun)
        return answer.response
    }

    /// The answer, and whose key signed the request if it was checked.
    private func answer(to request: Request, from origin: RequestOrigin) async -> (Answer, String?) {
        let target = request.head.path ?? "/"
        let path = String(target.prefix { $0 != "?" })
        switch (request.method, path) {
        case (.get, "/healthz"), (.head, "/healthz"):
            return (.text("ok\n"), nil)
        case (.get, "/readyz"), (.head, "/readyz"):
            return (.text(readiness()), nil)
        case (.get, "/metrics"):
            return (.text(await metrics.text(of: house)), nil)
        case (.get, "/api/v1/openapi.json"):
            return (Answer(status: 200, type: Answer.json, body: openAPI), nil)
        default:
            if let opening = KingsoftDoor.opening(of: request.head, path: path) {
                return await kingsoft.answer(to: request, opening, from: origin)
            }
            if path == "/", AlibabaDoor.isMeant(request.head) { return await alibaba.answer(to: request, from: origin) }
            if let service = AmazonDoor.Service(of: request.head), service.has(path: path) {
                return await amazon.answer(to: request, service, from: origin)
            }
            // Nothing else posts to `/`: whoever forgot to sign, or did it wrongly, is told in words that their client knows.
            let isQuery = request.method == .post || target.contains("Action=") || target.contains("X-Amz-")
            if path == "/", isQuery {
                // Whose form an unsigned head brings only the form tells.
                var request = request
                do {
                    let form = try await RequestBytes.collect(request, limit: AlibabaDoor.bodyMax)
                    request.body = RequestBody(buffer: ByteBuffer(bytes: form))
                    if AlibabaDoor.isMeant(form: form) { return await alibaba.answer(to: request, from: origin) }
                } catch {
                    // A body is read once: what could not be is nobody's to look at again.
                    return (amazon.unread(error), nil)
                }
                return await amazon.answer(to: request, .ec2, from: origin)
            }
            guard path.hasPrefix("/api/v1/") else {
                return (.refusal(404, "missing", "there is nothing at \(path); the native API is under /api/v1"), nil)
            }
            return await nativeAnswer(to: request, target: target, path: path, from: origin)
        }
    }

    /// Volumes are served without the store, so a server whose store is away is ready; it says so, and no more to strangers.
    private func readiness() -> String {
        let since = house.regions.compactMap { house.verbs(for: .root, in: $0.name)?.store.health().degradedSince }
            .first
        guard let since else { return "ok\n" }
        return "degraded: the store does not work since \(since), snapshots wait; see varve store status\n"
    }

    /// The head is checked before the body is read, as far as it says enough; a body nobody vouches for must be small.
    private func nativeAnswer(
        to request: Request, target: String, path: String, from origin: RequestOrigin
    ) async -> (Answer, String?) {
        do {
            let opening = try authenticator.open(request.head)
            let limit = if case .proven = opening { NativeLimits.part } else { NativeLimits.document }
            let body = try await RequestBytes.collect(request, limit: limit)
            let signer = try authenticator.check(request.head, body: body, after: opening)
            var origin = origin
            origin.accessKey = signer.accessKey
            let wanted = NativeRequest(
                method: request.method.rawValue, path: String(path.dropFirst("/api/v1".count)),
                query: target.contains("?") ? String(target.drop { $0 != "?" }.dropFirst()) : "", body: body)
            let answer = await RequestOrigin.$current.withValue(origin) {
                await native.answer(wanted, for: signer.caller)
            }
            return (Answer(answer), signer.accessKey)
        } catch let failure as SigningFailure {
            guard await brake.hold(origin.address) else {
                return (
                    .refusal(429, "throttled", "too many requests from here were signed wrongly: ask again later"), nil
                )
            }
            return (.refusal(401, "unauthorized", "\(failure)"), nil)
        } catch let failure as RequestBytes.TooLarge {
            return (.refusal(413, "invalid", "the body is larger than \(failure.limit) bytes"), nil)
        } catch is RequestBytes.TooSlow {
            return (.refusal(408, "invalid", "the body came too slowly"), nil)
        } catch {
            return (.refusal(400, "invalid", "the body ended too early"), nil)
        }
    }
}
