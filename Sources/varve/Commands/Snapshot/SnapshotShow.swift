internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot show`
struct SnapshotShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one snapshot.",
        discussion: """
            Example:
              varve snapshot show snap-0123456789abcdef0 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/snapshots/\(Segment.of(id))")
        if format.output == .json { return Output.json(bytes) }
        Self.facts(of: try NativeClient.read(bytes)).lines.forEach(Output.line)
    }

    private static func facts(of snapshot: SnapshotView) -> Facts {
        var facts = Facts()
        facts.add("id", snapshot.id)
        facts.add("name", snapshot.name)
        facts.add("description", snapshot.description)
        facts.add("owner", snapshot.ownerId)
        facts.add("sharing", snapshot.sharing?.sentence)
        facts.add("lock", snapshot.lock?.sentence)
        facts.add("archive", snapshot.tier?.sentence)
        facts.add("released", snapshot.releaseAt.map(LocalTime.text))
        facts.add("volume", snapshot.volumeId)
        facts.add("parent", snapshot.parentId)
        facts.add("group", snapshot.groupId)
        facts.add("state", snapshot.state.rawValue)
        facts.add("at rest when cut", snapshot.consistency?.sentence)
        facts.add("reason", snapshot.reason)
        if snapshot.state == .pending {
            let left = snapshot.remainingSeconds.map { ", \(Seconds.text(.seconds($0))) left" } ?? ""
            facts.add("uploaded", "\(Int(snapshot.progress * 100)) %\(left)")
        }
        facts.add("disk size", Size(bytes: snapshot.volumeSizeBytes).description)
        facts.add("changed", snapshot.changedBytes.map { Size(bytes: $0).description })
        facts.add("stored", snapshot.storedBytes.map { Size(bytes: $0).description })
        facts.add("freed by deleting", snapshot.exclusiveBytes.map { Size(bytes: $0).description })
        facts.add("encrypted with", snapshot.keyId ?? (snapshot.encrypted ? "an unknown key" : nil))
        if let damage = snapshot.damage {
            facts.add(
                "degraded",
                "\(Size(bytes: damage.bytes)) in \(damage.rangeCount) ranges cannot be read, found "
                    + LocalTime.text(damage.foundAt))
            facts.add("unreadable", Ranges.text(damage.ranges, of: damage.rangeCount))
            for problem in damage.problems.prefix(5) { facts.add("problem", problem) }
        }
        facts.add("uri", snapshot.uri)
        facts.add("created", LocalTime.text(snapshot.createdAt))
        facts.add("completed", snapshot.completedAt.map(LocalTime.text))
        return facts
    }
}

/// Runs of bytes in a line.
enum Ranges {
    static func text(_ ranges: [SnapshotDamageView.Range], of count: Int? = nil) -> String {
        let shown = ranges.prefix(8).map { "\($0.offset) to \($0.offset + $0.length)" }.joined(separator: ", ")
        let more = (count ?? ranges.count) - min(8, ranges.count)
        return "bytes " + shown + (more > 0 ? " and \(more) more (--output json)" : "")
    }
}
