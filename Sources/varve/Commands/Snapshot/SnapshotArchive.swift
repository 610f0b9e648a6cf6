internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot archive`
struct SnapshotArchive: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Put a snapshot into the archive, out of use.",
        discussion: """
            It is kept and can be deleted, but nothing can be made of it until `varve snapshot unarchive`. It is shared
            with nobody any more. No space is freed.

            Example:
              varve snapshot archive snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("POST", "/snapshots/\(Segment.of(id))/archive")
        if format.output == .json { return Output.json(bytes) }
        let snapshot: SnapshotView = try NativeClient.read(bytes)
        Output.line(snapshot.tier?.sentence ?? "")
    }
}

/// `varve snapshot unarchive`
struct SnapshotUnarchive: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "unarchive", abstract: "Take a snapshot out of the archive, for some days or for good.",
        discussion: """
            Of one that is out for some days, it changes for how many, from now.

            Examples:
              varve snapshot unarchive snap-0123456789abcdef0 --days 7
              varve snapshot unarchive snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "For how many days, 1 to 180; without it, for good.") var days: Int?

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let days { fields["days"] = .number(days) }
        let bytes = try await client.callRaw("POST", "/snapshots/\(Segment.of(id))/unarchive", fields)
        if format.output == .json { return Output.json(bytes) }
        let snapshot: SnapshotView = try NativeClient.read(bytes)
        Output.line(snapshot.tier?.sentence ?? "")
    }
}

extension SnapshotTierView {
    /// Where it is, in words.
    var sentence: String {
        if isArchived { return "in the archive since \(LocalTime.text(archivedAt))" }
        guard let restoredUntil else { return "out of the archive since \(LocalTime.text(beganAt))" }
        return "out of the archive until \(LocalTime.text(restoredUntil))"
    }
}
