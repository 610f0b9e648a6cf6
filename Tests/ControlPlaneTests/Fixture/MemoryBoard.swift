import Blocks
import ControlPlane

/// An export board that keeps the devices in memory: what a client would reach over NBD.
final class MemoryBoard: ExportBoard {
    private let devices = Guarded<[String: any BlockDevice]>([:])
    private let paces = Guarded<[String: Pace]>([:])

    func publish(_ name: String, device: any BlockDevice) async throws { devices.withLock { $0[name] = device } }
    func publish(_ offer: ExportOffer) async throws {
        paces.withLock { $0[offer.name] = offer.pace }
        try await publish(offer.name, device: offer.device)
    }
    func withdraw(_ name: String) async { devices.withLock { $0[name] = nil } }
    func uri(of name: String) -> String { "nbd+unix:///\(name)?socket=/tmp/none" }

    func device(_ name: String) -> (any BlockDevice)? { devices.withLock { $0[name] } }
    func pace(_ name: String) -> Pace? { paces.withLock { $0[name] } }
    var names: [String] { devices.withLock { $0.keys.sorted() } }
}
