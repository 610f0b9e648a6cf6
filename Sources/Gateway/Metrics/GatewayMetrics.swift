internal import ControlPlane
internal import Synchronization

/// What `/metrics` says, in Prometheus' text form: requests by class of status, and all that the house measures.
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

    /// The whole text. What cannot be told now is left out.
    func text(of house: House) async -> String {
        var requests = MetricFamily("varve_http_requests_total", .counter, "Requests over HTTP by class of answer.")
        requests.add(Double(answered.load(ordering: .relaxed)), ("class", "ok"))
        requests.add(Double(refused.load(ordering: .relaxed)), ("class", "refused"))
        requests.add(Double(failed.load(ordering: .relaxed)), ("class", "failed"))
        return ([requests] + (await house.metrics.families())).prometheusText
    }
}
