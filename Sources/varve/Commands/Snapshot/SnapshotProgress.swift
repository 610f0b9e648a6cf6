internal import ControlPlane

/// Watches a snapshot until it is completed, with a progress bar on a terminal.
enum SnapshotProgress {
    /// - Throws: ``CommandFailure`` when the snapshot ends any other way.
    static func follow(_ first: SnapshotView, _ client: NativeClient) async throws {
        let painter = ProgressPainter("Uploading \(first.id)", total: nil)
        defer { painter.finish() }
        var snapshot = first
        let pauses = Pauses()
        while snapshot.state == .pending {
            painter.note(share: snapshot.progress)
            try await pauses.next()
            snapshot = try await client.call("GET", "/snapshots/\(Segment.of(snapshot.id))")
        }
        guard snapshot.state == .completed else {
            let reason = snapshot.reason.map { ": \($0)" } ?? ""
            throw CommandFailure.refused("snapshot \(snapshot.id) ended as \(snapshot.state.rawValue)\(reason)")
        }
    }
}
