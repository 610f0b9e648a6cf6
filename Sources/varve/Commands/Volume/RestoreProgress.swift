internal import ControlPlane

/// Watches a restored volume until all of its content is here, with a progress bar on a terminal.
enum RestoreProgress {
    /// - Returns: the volume as it is then.
    /// - Throws: ``CommandFailure`` when it cannot become whole: its source is damaged, or its own disk failed.
    static func follow(_ id: String, _ client: NativeClient) async throws -> VolumeView {
        let painter = ProgressPainter("Restoring \(id)", total: nil)
        defer { painter.finish() }
        let pauses = Pauses()
        while true {
            let volume: VolumeView = try await client.call("GET", "/volumes/\(Segment.of(id))")
            if let reason = volume.reason, try await isBeyondWaiting(volume, client) {
                throw CommandFailure.refused("the volume \(id) cannot be restored in full: \(reason)")
            }
            if volume.hydration.isComplete { return volume }
            painter.note(share: volume.hydration.progress)
            try await pauses.next()
        }
    }

    /// A store that is away comes back; damage and a failed disk stay.
    private static func isBeyondWaiting(_ volume: VolumeView, _ client: NativeClient) async throws -> Bool {
        if volume.state == .error || volume.state == .quarantined { return true }
        // What a copy comes from is nobody's to look at.
        guard volume.sourceVolumeId == nil, let source = volume.hydration.sourceSnapshotId else { return false }
        let snapshot: SnapshotView = try await client.call("GET", "/snapshots/\(Segment.of(source))")
        return snapshot.damage != nil
    }
}
