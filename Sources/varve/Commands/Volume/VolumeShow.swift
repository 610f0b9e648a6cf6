internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve volume show`
struct VolumeShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one volume.",
        discussion: """
            Example:
              varve volume show vol-0123456789abcdef0 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The volume's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/volumes/\(Segment.of(id))")
        if format.output == .json { return Output.json(bytes) }
        Self.facts(of: try NativeClient.read(bytes)).lines.forEach(Output.line)
    }

    private static func speed(_ profile: VolumeProfile) -> String {
        let limits = [profile.iops.map { "\($0) IOPS" }, profile.throughput.map { "\($0) MiB/s" }].compactMap(\.self)
        return ([profile.kind] + limits).joined(separator: ", ")
    }

    private static func facts(of volume: VolumeView) -> Facts {
        var facts = Facts()
        facts.add("id", volume.id)
        facts.add("name", volume.name)
        facts.add("description", volume.description)
        facts.add("state", volume.state.rawValue)
        facts.add("reason", volume.reason)
        facts.add("size", Size(bytes: volume.sizeBytes).description)
        facts.add("speed", volume.isPaced ? Self.speed(volume.profile) : "as fast as it can")
        facts.add("on disk", Size(bytes: volume.allocatedBytes).description)
        facts.add("changed since snapshot", Size(bytes: volume.dirtyBytes).description)
        facts.add("made from", volume.originSnapshotId.map { $0 + (volume.fastRestored ? ", of a local copy" : "") })
        facts.add("copied from", volume.sourceVolumeId)
        facts.add("parent snapshot", volume.parentSnapshotId)
        if !volume.hydration.isComplete {
            let rest = Size(bytes: volume.hydration.remainingBytes)
            let left = volume.hydration.remainingSeconds.map { ", \(Seconds.text(.seconds($0))) left" } ?? ""
            facts.add("restored", "\(Int(volume.hydration.progress * 100)) %, \(rest) to come\(left)")
        }
        facts.add("holes", volume.holes.map { $0.isEmpty ? "none so far" : "zeros at " + Ranges.text($0) })
        if !volume.pendingSnapshotIds.isEmpty {
            facts.add("pending snapshots", volume.pendingSnapshotIds.joined(separator: " "))
        }
        facts.add("encrypted with", volume.keyId ?? (volume.encrypted ? "an unknown key" : nil))
        if volume.isShared { facts.add("shared", "several instances may have it") }
        for one in volume.attachments.dropFirst().isEmpty ? [] : volume.attachments {
            facts.add("attached to", one.host + (one.device.map { " as \($0)" } ?? ""))
        }
        facts.add("uri", volume.uri)
        facts.add("created", LocalTime.text(volume.createdAt))
        return facts
    }
}
