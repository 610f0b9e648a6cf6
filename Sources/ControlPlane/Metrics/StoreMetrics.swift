internal import Blocks
internal import ObjectStore

/// What the store was asked and answered.
struct StoreMetrics {
    private let counts: StoreMeter.Counts
    private let isDegraded: Bool
    init(_ meter: StoreMeter) {
        counts = meter.counts
        isDegraded = meter.trouble?.isDegraded == true
    }

    var families: [MetricFamily] {
        var requests = MetricFamily(
            "varve_store_requests_total", .counter, "Requests to the object store, each try by itself.")
        var time = MetricFamily("varve_store_request_seconds_total", .counter, "Time that they took together.")
        for operation in StoreMeter.Operation.allCases {
            for outcome in StoreMeter.Outcome.allCases {
                guard let count = counts.requests[.init(operation: operation, outcome: outcome)] else { continue }
                requests.add(Double(count), ("operation", operation.rawValue), ("outcome", outcome.rawValue))
            }
            if let spent = counts.time[operation] { time.add(spent.inSeconds, ("operation", operation.rawValue)) }
        }
        var failures = MetricFamily(
            "varve_store_failures_total", .counter, "Failures: those that trying again may mend, and refusals.")
        failures.add(Double(counts.transientFailures), ("kind", "transient"))
        failures.add(Double(counts.refusals), ("kind", "refused"))
        return [
            MetricFamily(
                "varve_store_degraded", .gauge, "1 while the store does not work, and what needs it waits.",
                isDegraded ? 1 : 0),
            requests, time, failures,
            MetricFamily(
                "varve_store_sent_bytes_total", .counter, "Bytes of objects that were put.",
                Double(counts.sent.bytes)),
            MetricFamily(
                "varve_store_received_bytes_total", .counter, "Bytes of objects that were got.",
                Double(counts.received.bytes)),
        ]
    }
}
