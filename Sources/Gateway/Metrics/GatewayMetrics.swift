internal import ControlPlane
internal import Synchronization

/// What `/metrics` says, in Prometheus' text form: requests by class of status, volumes and snapshots by state.
final class GatewayMetrics: Sendable {
    private let answered = Atomic(0)
    private let refused = Atomic(0)
    private let failed = Atomic(0)

    /// Counts an answered request.
    func count(status: Int) {
        switch status {
        case ..<400: answered.wrappingAdd(1, ordering: .relaxed)
        case ..<500: refused.wrappingAdd(1, ordering: .relaxed)
        default: failed.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// The whole text. A service that cannot answer leaves its lines out.
    func text(of house: House) async -> String {
        var lines = [
            "# TYPE varve_http_requests_total counter",
            "varve_http_requests_total{class=\"ok\"} \(answered.load(ordering: .relaxed))",
            "varve_http_requests_total{class=\"refused\"} \(refused.load(ordering: .relaxed))",
            "varve_http_requests_total{class=\"failed\"} \(failed.load(ordering: .relaxed))",
        ]
        if let volumes = try? await house.volumes.list() {
            lines += Self.gauge("varve_volumes", volumes.map(\.state.rawValue))
            lines += Self.sum("varve_volume_size_bytes", volumes.map(\.sizeBytes))
            lines += Self.sum("varve_volume_allocated_bytes", volumes.map(\.allocatedBytes))
        }
        if let snapshots = try? await house.snapshots.list() {
            lines += Self.gauge("varve_snapshots", snapshots.map(\.state.rawValue))
            lines += Self.sum("varve_snapshot_stored_bytes", snapshots.map { $0.storedBytes ?? 0 })
        }
        lines += Self.store(house.store.health())
        return lines.joined(separator: "\n") + "\n"
    }

    private static func store(_ health: StoreHealth) -> [String] {
        var lines = ["# TYPE varve_store_degraded gauge", "varve_store_degraded \(health.isDegraded ? 1 : 0)"]
        lines.append("# TYPE varve_store_requests_total counter")
        for (operation, count) in health.calls.sorted(by: { $0.key < $1.key }) {
            lines.append("varve_store_requests_total{operation=\"\(operation)\"} \(count)")
        }
        lines += [
            "# TYPE varve_store_failures_total counter",
            "varve_store_failures_total{kind=\"transient\"} \(health.transientFailures)",
            "varve_store_failures_total{kind=\"refused\"} \(health.refusals)",
            "# TYPE varve_store_sent_bytes_total counter", "varve_store_sent_bytes_total \(health.sentBytes)",
            "# TYPE varve_store_received_bytes_total counter",
            "varve_store_received_bytes_total \(health.receivedBytes)",
        ]
        return lines
    }

    private static func gauge(_ name: String, _ states: [String]) -> [String] {
        let counts = Dictionary(states.map { ($0, 1) }, uniquingKeysWith: +)
        return ["# TYPE \(name) gauge"]
            + counts.sorted { $0.key < $1.key }.map { "\(name){state=\"\($0.key)\"} \($0.value)" }
    }

    private static func sum(_ name: String, _ values: [Int]) -> [String] {
        ["# TYPE \(name) gauge", "\(name) \(values.reduce(0, +))"]
    }
}
