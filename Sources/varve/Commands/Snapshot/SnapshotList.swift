internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot list`
struct SnapshotList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every snapshot, or those of one volume, oldest first.",
        discussion: """
            With --shared, those of other accounts that may be used.

            Examples:
              varve snapshot list --volume vol-0123456789abcdef0
              varve snapshot list --shared
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: ArgumentHelp("Only those of this volume.", valueName: "id")) var volume: String?
    @Flag(help: "Those of other accounts that are shared with this one or with everybody.") var shared = false

    func validate() throws {
        if shared && volume != nil { throw ValidationError("--volume is for the account's own snapshots.") }
    }

    private struct Answer: Decodable {
        let snapshots: [SnapshotView]
    }

    func run(_ client: NativeClient) async throws {
        let filter = try volume.map { "?volumeId=\(try Segment.of($0))" } ?? ""
        let bytes = try await client.callRaw("GET", shared ? "/shared-snapshots" : "/snapshots\(filter)")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "VOLUME", "STATE", ">DISK", ">CHANGED", ">STORED", "CREATED")
        for snapshot in (try NativeClient.read(bytes) as Answer).snapshots {
            let state =
                snapshot.state == .pending
                ? "pending \(Int(snapshot.progress * 100)) %"
                : snapshot.damage == nil ? snapshot.state.rawValue : "degraded"
            table.add(
                snapshot.id, snapshot.name ?? "", snapshot.volumeId, state,
                Size(bytes: snapshot.volumeSizeBytes).description, Self.size(snapshot.changedBytes),
                Self.size(snapshot.storedBytes), LocalTime.text(snapshot.createdAt))
        }
        table.lines.forEach(Output.line)
    }

    private static func size(_ bytes: Int?) -> String {
        bytes.map { Size(bytes: $0).description } ?? ""
    }
}
