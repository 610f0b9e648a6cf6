public import Blocks

/// Where volumes and snapshots are offered to clients. The NBD server is put behind this by whoever opens the house.
///
/// Called from any task. Names are ids: `vol-...`, `snap-...`.
public protocol ExportBoard: Sendable {
    /// Offers `device` under `name`; clients can connect when the call returns. A device that `isReadOnly` is offered
    /// read-only. Publishing a name again replaces it for new connections.
    func publish(_ name: String, device: any BlockDevice) async throws

    /// Takes the name away. Returns when its connections are closed and no call on the device is running or will start.
    /// No error if the name is not there.
    func withdraw(_ name: String) async

    /// The URI that clients on this host use for `name`. The same after a restart.
    func uri(of name: String) -> String

    /// The URI that clients on other hosts use for `name`, or nil when it is offered on this host only.
    func networkURI(of name: String) -> String?
}

extension ExportBoard {
    /// Nil.
    public func networkURI(of name: String) -> String? { nil }
}
