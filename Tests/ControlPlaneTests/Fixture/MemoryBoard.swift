import Blocks
import ControlPlane

/// An export board that keeps the devices in memory: what a client would reach over NBD.
final class MemoryBoard: ExportBoard {
    private let devices = Guarded<[String: any BlockDevice]>([:])
    private let paces = Guarded<[String: Pace]>([:])
    private let refused = Guarded<Set<String>>([])
    private let hooks = Guarded(Hooks())

    /// What a test lets happen.
    struct Hooks: Sendable {
        /// Names whose next publication fails.
        var refused: Set<String> = []
        /// Before a name is withdrawn.
        var withdrawing: (@Sendable (String) async -> Void)?
    }
    func set(_ wanted: Hooks) { hooks.withLock { $0 = wanted } }

    func publish(_ name: String, device: any BlockDevice) async throws { devices.withLock { $0[name] = device } }
    func publish(_ offer: ExportOffer) async throws {
        guard !refused.withLock({ $0.contains(offer.name) }) else { throw BlockFailure.noSpace }
        if hooks.withLock({ $0.refused.remove(offer.name) }) != nil { throw BlockFailure.io(errno: 98) }
        paces.withLock { $0[offer.name] = offer.pace }
        try await publish(offer.name, device: offer.device)
    }
    func withdraw(_ name: String) async {
        await hooks.withLock { $0.withdrawing }?(name)
        devices.withLock { $0[name] = nil }
    }
    func isPublished(_ name: String) -> Bool { device(name) != nil }
    func uri(of name: String) -> String { "nbd+unix:///\(name)?socket=/tmp/none" }

    /// From now on that name cannot be offered, as where a socket cannot be made; or it can again.
    func refuse(_ name: String, _ isRefused: Bool = true) {
        refused.withLock { if isRefused { $0.insert(name) } else { $0.remove(name) } }
    }
    func device(_ name: String) -> (any BlockDevice)? { devices.withLock { $0[name] } }
    func pace(_ name: String) -> Pace? { paces.withLock { $0[name] } }
    var names: [String] { devices.withLock { $0.keys.sorted() } }
}
