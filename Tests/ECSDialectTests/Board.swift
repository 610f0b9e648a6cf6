import Blocks
import ControlPlane

/// Offers disks to nobody: what is tested here are words.
struct Board: ExportBoard {
    func publish(_ name: String, device: any BlockDevice) async throws {}
    func withdraw(_ name: String) async {}
    func uri(of name: String) -> String { "nbd+unix:///\(name)" }
}
