internal import Blocks
internal import VolumeEngine

/// What the engine says of each open volume. Blocks briefly on the file system.
struct VolumeMetrics {
    private let house: Household
    init(_ house: Household) { self.house = house }

    var families: [MetricFamily] {
        var size = MetricFamily("varve_volume_size_bytes", .gauge, "Size of the disk.")
        var allocated = MetricFamily("varve_volume_allocated_bytes", .gauge, "Local disk that the volume takes.")
        var dirty = MetricFamily("varve_volume_dirty_bytes", .gauge, "Changed since the last snapshot.")
        var overlay = MetricFamily(
            "varve_volume_overlay_bytes", .gauge, "Written aside while snapshots are on their way.")
        var pending = MetricFamily("varve_volume_pending_snapshots", .gauge, "Snapshots that are not settled.")
        var cuts = MetricFamily("varve_volume_cuts_total", .counter, "Cuts since the volume was opened.")
        var paused = MetricFamily(
            "varve_volume_cut_seconds_total", .counter, "Time that the instants of cuts took together.")
        var longest = MetricFamily(
            "varve_volume_cut_longest_seconds", .gauge, "The longest that the instant of a cut took.")
        var hydrated = MetricFamily(
            "varve_volume_hydrated_bytes", .gauge, "Of a volume being restored: what is here.")
        var toHydrate = MetricFamily(
            "varve_volume_hydration_total_bytes", .gauge, "Of a volume being restored: what its source holds.")
        var failed = MetricFamily("varve_volume_failed", .gauge, "1 when the volume's disk failed.")
        var states: [String] = []
        for (id, volume) in house.live.allOpen.sorted(by: { $0.id < $1.id }) {
            let status = volume.status
            let label = ("volume", id)
            size.add(Double(status.size.bytes), label)
            allocated.add(Double(status.allocated.bytes), label)
            dirty.add(Double(status.dirty.bytes), label)
            overlay.add(Double(status.overlay.bytes), label)
            pending.add(Double(status.pendingSnapshots.count), label)
            cuts.add(Double(status.cuts.count), label)
            paused.add(status.cuts.time.inSeconds, label)
            longest.add(status.cuts.longest.inSeconds, label)
            failed.add(status.isFailed ? 1 : 0, label)
            if status.source != nil {
                hydrated.add(Double(status.hydrated.bytes), label)
                toHydrate.add(Double(status.toHydrate.bytes), label)
            }
            states.append(status.isFailed ? "failed" : status.source != nil ? "hydrating" : "open")
        }
        return [
            RegionMetrics.byState("varve_volumes", "Open volumes by state.", states), size, allocated, dirty, overlay,
            pending, cuts, paused, longest, hydrated, toHydrate, failed,
        ]
    }
}

/// What clients asked over NBD.
struct TrafficMetrics {
    private let traffic: [String: ExportTraffic]
    init(_ traffic: [String: ExportTraffic]) { self.traffic = traffic }

    var families: [MetricFamily] {
        var connections = MetricFamily("varve_nbd_connections", .gauge, "Connections to the export.")
        var requests = MetricFamily("varve_nbd_requests_total", .counter, "Requests that were answered.")
        var failures = MetricFamily("varve_nbd_request_failures_total", .counter, "Of these, how many failed.")
        var bytes = MetricFamily("varve_nbd_request_bytes_total", .counter, "Bytes of those that did not fail.")
        var time = MetricFamily(
            "varve_nbd_request_duration_seconds", .histogram, "From taking a request up to having its answer.")
        for (name, export) in traffic.sorted(by: { $0.key < $1.key }) {
            connections.add(Double(export.connections), ("export", name))
            for row in export.rows {
                requests.add(Double(row.requests), ("export", name), ("operation", row.kind))
                failures.add(Double(row.failures), ("export", name), ("operation", row.kind))
                bytes.add(Double(row.bytes), ("export", name), ("operation", row.kind))
                time.add(
                    bounds: export.bounds, buckets: row.buckets, sum: row.seconds,
                    [("export", name), ("operation", row.kind)])
            }
        }
        return [connections, requests, failures, bytes, time]
    }
}
