internal import Foundation
internal import NBD

/// Where and how disks are offered over TCP.
struct NetworkDoor {
    var host: String
    /// 0 lets the system choose.
    var port: UInt16
    var tls: TLSOffer?
    /// What whoever starts the server should know.
    var warnings: [String] = []

    private static let thisHost = ProcessInfo.processInfo.hostName

    /// The URI of an export, as NBD clients elsewhere take it. Where the server listens on every address, the host's name.
    func uri(of name: String) -> String {
        let isEverywhere = host == "0.0.0.0" || host == "::"
        let reached = isEverywhere ? Self.thisHost : host
        let scheme = tls == nil ? "nbd" : "nbds"
        return "\(scheme)://\(reached.contains(":") ? "[\(reached)]" : reached):\(port)/\(name)"
    }
}
