internal import ControlPlane

/// Watches a snapshot until it is completed, with a progress bar on a terminal.
enum SnapshotProgress {
    /// Pauses between questions: short at first, because most snapshots are small.
    private static let pauses: [Duration] = [20, 20, 40, 80, 160].map { .milliseconds($0) }

    /// - Throws: ``CommandFailure`` when the snapshot ends any other way.
    static func follow(_ first: SnapshotView, _ client: NativeClient) async throws {
        let painter = ProgressPainter("Uploading \(first.id)", total: nil)
        defer { painter.finish() }
        var snapshot = first
        var turn = 0
        while snapshot.state == .pending {
            painter.note(share: snapshot.progress)
            try await Task.sleep(for: turn < pauses.count ? pauses[turn] : .milliseconds(250))
            turn += 1
            snapshot = try await client.call("GET", "/snapshots/\(Segment.of(snapshot.id))")
        }
        guard snapshot.state == .completed else {
            let reason = snapshot.reason.map { ": \($0)" } ?? ""
            throw CommandFailure.refused("snapshot \(snapshot.id) ended as \(snapshot.state.rawValue)\(reason)")
        }
    }
}
